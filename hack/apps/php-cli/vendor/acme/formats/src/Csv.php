<?php
namespace Acme\Formats;

final class Csv implements Format
{
    public function render(array $rows): string
    {
        $out = fopen('php://memory', 'w+');
        foreach ($rows as $row) {
            fputcsv($out, $row);
        }
        return stream_get_contents($out, offset: 0);
    }
}
