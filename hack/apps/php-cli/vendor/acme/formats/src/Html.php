<?php
namespace Acme\Formats;

final class Html implements Format
{
    public function render(array $rows): string
    {
        return '<h1>Report</h1>' . implode('', array_map(fn($r) => '<p>' . htmlspecialchars(implode(' ', $r)), $rows));
    }
}
