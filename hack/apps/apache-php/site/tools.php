<?php
// What a page may come to do: /tools.php?do=NAME
$image = function (): GdImage {
    $image = imagecreatetruecolor(200, 40);
    imagettftext($image, 14, 0, 5, 25, 0xffffff, '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 'Grüße');
    return $image;
};
$tools = [
    'png' => function () use ($image) { header('Content-Type: image/png'); imagepng($image()); },
    'jpeg' => function () use ($image) { header('Content-Type: image/jpeg'); imagejpeg($image()); },
    'webp' => function () use ($image) { header('Content-Type: image/webp'); imagewebp($image()); },
    'currency' => fn() => print((new NumberFormatter('de_DE', NumberFormatter::CURRENCY))->formatCurrency(1234.5, 'EUR')),
    'sort' => function () { $a = ['Zebra', 'Äpfel', 'Birne']; (new Collator('de'))->sort($a); print(implode(' ', $a)); },
    'date' => fn() => print((new IntlDateFormatter('ja_JP', IntlDateFormatter::FULL, IntlDateFormatter::SHORT, 'Asia/Tokyo'))->format(0)),
    'zone' => fn() => print((new DateTimeImmutable('@0'))->setTimezone(new DateTimeZone('Asia/Tokyo'))->format('c T')),
    'zones' => fn() => print(count(DateTimeZone::listIdentifiers()) . ' ' . implode(' ', DateTimeZone::listIdentifiers(DateTimeZone::PER_COUNTRY, 'CH'))),
    'transliterate' => fn() => print(transliterator_transliterate('Any-Latin; Latin-ASCII', 'Москва')),
    'mbstring' => fn() => print(bin2hex(mb_convert_encoding('日本', 'SJIS', 'UTF-8'))),
    'latin' => fn() => print(bin2hex(iconv('UTF-8', "ISO-8859-1//TRANSLIT", 'Zoë €'))),
    'iconv' => fn() => print(bin2hex(iconv('UTF-8', 'EUC-JP', '日本'))),
    'type' => fn() => print((new finfo(FILEINFO_MIME_TYPE))->file(__DIR__ . '/img/dot.gif')),
    'xml' => function () { $d = new DOMDocument(); $d->loadHTML('<p>a<p>b'); print($d->getElementsByTagName('p')->length . ' paragraphs'); },
    'xslt' => fn() => print(simplexml_load_string('<a><b>x</b></a>')->b),
    'session' => function () { session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; print('visit ' . $_SESSION['n']); },
    'password' => fn() => print(password_verify('x', password_hash('x', PASSWORD_ARGON2ID)) ? 'verified' : 'wrong'),
    'random' => fn() => print(strlen(random_bytes(16)) . ' bytes'),
    'info' => fn() => phpinfo(INFO_MODULES),
    'throw' => fn() => throw new RuntimeException('broken on purpose'),
    'lookup' => fn() => print(gethostbyname('localhost')),
    'phar' => function () { $p = new PharData('/tmp/x.tar'); $p->addFromString('a.txt', 'hello'); print(file_get_contents('phar:///tmp/x.tar/a.txt')); },
    'exec' => fn() => print(trim(shell_exec('echo from a shell') ?? 'no shell')),
];
$do = $_GET['do'] ?? '';
if (!isset($tools[$do])) {
    http_response_code(404);
    exit('no such tool');
}
$tools[$do]();
