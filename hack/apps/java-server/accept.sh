# shellcheck shell=bash
serve 8080
http 200 '1970-01-01T09:00:00\+09:00\[Asia/Tokyo\]' '/zone?name=Asia/Tokyo'
http 200 'Donnerstag, 1. Januar 1970' '/date?locale=de'
http 200 '1970年1月1日木曜日' '/date?locale=ja'
http 200 '1.234,50' '/money?locale=de-DE'
http 200 '93fa967b' '/encode?charset=Shift_JIS'
http 200 'c6fccbdc' '/encode?charset=EUC-JP'
http 500 'UnsupportedCharset|IllegalCharset' '/encode?charset=nothing'
http 200 'Äpfel Birne Zebra' /sort
http 200 'Guten Tag' '/message?locale=de'
http 200 'Good day' '/message?locale=en'
http 200 'HEY!' '/plugin?text=hey'
http 200 '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' '/digest?algorithm=SHA-256'
http 200 'signed true' '/sign?algorithm=EC&signature=SHA256withECDSA'
http 200 'signed true' '/sign?algorithm=RSA&signature=SHA256withRSA'
http 200 'signed true' '/sign?algorithm=Ed25519&signature=Ed25519'
http 200 '32 bytes' /cipher
http 200 'trusts many' /trust
http 200 'SunEC.*XMLDSig' /providers
http 200 'zipped' /zip
for format in png jpg gif bmp; do
	http 200 "$format true true" "/image?format=$format"
done
http 200 'b' /xml
http 200 'Hello' /fetch
http 200 'OpenJDK' /beans
http 200 'ConsoleHandler' /logging
http 200 'UTF-8|US-ASCII|ANSI' /defaults
http 200 '1267650600228229401496703205376' '/pow?n=100'
http 200 '127.0.0.1' '/name?host=localhost'
http 500 'NumberFormatException' '/pow?n=x'
http 404 'no such tool' /nothing
stop TERM 143
serve -e TZ=Europe/Zurich -e JAVA_TOOL_OPTIONS=-Xmx64m 8080
http 200 'Europe/Zurich' /defaults
stop TERM 143
serve 8080 java -XX:+UseSerialGC -Xshare:auto -Duser.language=fr -jar /opt/server/server.jar
http 200 'fr' /defaults
stop TERM 143
is 'version' 'openjdk version "17' run java -version
