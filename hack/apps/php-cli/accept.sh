# shellcheck shell=bash
is 'a class that no probe loaded' 'Zürich,ch' run csv
is 'data of a package' 'Switzerland' run countries
is 'templates' 'ZÜRICH CH, 東京 JP 20' run twig
is 'time zones' '1969-12-31T19:00:00-05:00 EST' run zone
is 'the C.UTF-8 locale' "^'ä'$" run -p php -r 'setlocale(LC_ALL, "C.UTF-8"); echo escapeshellarg("ä");'
# shellcheck disable=SC2016  # they are PHP's variables
is 'an archive' 'inside' run -p php -d phar.readonly=0 -r '$p = new PharData("/tmp/a.tar"); $p["a"] = "inside"; echo (new PharData("/tmp/a.tar"))["a"]->getContent();'
is 'a checksum' '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' run -p php -r 'echo hash("sha256", "x");'
is 'a password' 'bool\(true\)' run -p php -r 'var_dump(password_verify("x", password_hash("x", PASSWORD_ARGON2ID)));'
is 'a cipher' '^[0-9a-f]{32}$' run -p php -r 'echo bin2hex(openssl_encrypt("x", "aes-128-cbc", "key", 1, str_repeat("0", 16)));'
is 'a syntax check' 'No syntax errors' run -p php -l report.php
is 'coloured source' '<code' run -p php -s report.php
is 'an interactive session' '42' eval 'echo "echo 6 * 7;" | run -p php -a'
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
