<?php
namespace Acme\Formats;

final class Countries implements Format
{
    public function render(array $rows): string
    {
        $names = parse_ini_file(__DIR__ . '/../data/countries.ini');
        return implode("\n", array_map(fn($r) => $names[$r[1]] ?? '?', $rows));
    }
}
