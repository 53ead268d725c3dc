# shellcheck shell=bash
is 'a class that no probe loaded' 'Zürich,ch' run csv
is 'data of a package' 'Switzerland' run countries
is 'templates' 'ZÜRICH CH, 東京 JP 20' run twig
is 'time zones' '1969-12-31T19:00:00-05:00 EST' run zone
is 'multibyte strings' '938c8b9e' run sjis
is 'iconv' '938c8b9e' run iconv
is 'standard input' '"a": 1' run stdin <<<'{"a": 1}'
exits 'an exception' 255 'JsonException' run stdin <<<'{'
is 'compression' 'compressed' run gz
exits 'no such format' 2 'unknown format' run pdf
is 'a script of one line' '8.2' run -p php -r 'echo PHP_VERSION;'
is 'modules' 'mbstring' run -p php -m
is 'configuration' 'Loaded Configuration File.*php.ini' run -p php --ini
exits 'a syntax error' 255 'Parse error|syntax error' run -p php -r 'echo ('
