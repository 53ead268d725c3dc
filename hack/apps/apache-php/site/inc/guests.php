<?php
function guests(): PDO
{
    static $db;
    $db ??= new PDO('sqlite:/data/guests.db', options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec('create table if not exists guests (name text)');
    return $db;
}
