<?php
// report.php FORMAT: html, csv, countries, twig, zone, sjis, iconv, serve
require __DIR__ . '/vendor/autoload.php';

$rows = [['Zürich', 'ch'], ['東京', 'jp']];
$format = $argv[1] ?? 'html';
switch ($format) {
    case 'twig':
        require '/usr/share/php/Twig/autoload.php';
        $twig = new Twig\Environment(new Twig\Loader\FilesystemLoader(__DIR__ . '/templates'), ['strict_variables' => true]);
        echo $twig->render('report.twig', ['rows' => $rows]), "\n";
        break;
    case 'zone':
        echo (new DateTime('@0'))->setTimezone(new DateTimeZone('America/New_York'))->format('c T'), "\n";
        break;
    case 'sjis':
        echo bin2hex(mb_convert_encoding($rows[1][0], 'SJIS', 'UTF-8')), "\n";
        break;
    case 'iconv':
        echo bin2hex(iconv('UTF-8', 'SHIFT_JIS', $rows[1][0])), "\n";
        break;
    case 'stdin':
        echo json_encode(json_decode(stream_get_contents(STDIN), flags: JSON_THROW_ON_ERROR), JSON_PRETTY_PRINT), "\n";
        break;
    case 'gz':
        echo gzdecode(gzencode('compressed')), "\n";
        break;
    default:
        $class = 'Acme\\Formats\\' . ucfirst($format);
        if (!class_exists($class)) {
            fwrite(STDERR, "unknown format $format\n");
            exit(2);
        }
        echo (new $class())->render($rows), "\n";
}
