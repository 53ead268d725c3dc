<?php
namespace Acme\Formats;

interface Format
{
    public function render(array $rows): string;
}
