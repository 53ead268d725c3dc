<?php
require __DIR__ . '/inc/guests.php';
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    guests()->prepare('insert into guests (name) values (?)')->execute([$_POST['name'] ?? '']);
    http_response_code(201);
}
?>
<!DOCTYPE html>
<link rel="stylesheet" href="style.css">
<h1>Guests</h1>
<ul><?php foreach (guests()->query('select name from guests') as $row) echo '<li>', htmlspecialchars($row['name']); ?></ul>
