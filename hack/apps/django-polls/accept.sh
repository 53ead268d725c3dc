# shellcheck shell=bash
serve 8000
http 200 '<h1>Fragen</h1>' -H 'Accept-Language: de' /
http 200 'Veröffentlicht 29. Februar 2024 12:00.*1,2 Millionen' -H 'Accept-Language: de' /1/
http 200 'Feb. 29, 2024, 9 p.m. JST.*1.2 million.*Save' '/1/?zone=Asia/Tokyo'
http 200 '2024년 2월 29일' -H 'Accept-Language: ko' /1/
http 404 'Not Found' /7/
http 404 'Not Found' /nothing
http 403 'CSRF verification failed' -d choice=2 /1/vote/
voted() {
	local token
	token=$(curl -s -c "$WORK/jar" http://localhost:8000/1/ | grep -o 'csrfmiddlewaretoken" value="[^"]*' | cut -d '"' -f 3)
	curl -s -L -b "$WORK/jar" -d "csrfmiddlewaretoken=$token&choice=2" http://localhost:8000/1/vote/
}
is 'a vote counts' 'The sky: 1<' voted
http 200 'The sky' '/export/json/'
http 200 '<object model="polls.choice" pk="1">' '/export/xml/'
http 200 '"model": "polls.choice"' '/export/jsonl/'
http 200 '<rss.*<title>What is new' /feed/
http 302 'Location: /admin/login/' /admin/
http 200 'Anmelden' -H 'Accept-Language: de' /admin/login/
http 200 'text/css.*--primary' /static/admin/css/base.css
http 200 'javascript' /static/admin/js/core.js
http 200 'teal' /static/polls/style.css
http 200 'gettext' /jsi18n/
http 400 'Bad Request' -H 'Host: elsewhere' /
admin() {
	local token jar=$WORK/admin
	token=$(curl -s -c "$jar" http://localhost:8000/admin/login/ | grep -o 'csrfmiddlewaretoken" value="[^"]*' | cut -d '"' -f 3)
	curl -s -L -b "$jar" -c "$jar" -d "csrfmiddlewaretoken=$token&username=root&password=secret12&next=$1" http://localhost:8000/admin/login/
}
is 'create an administrator' 'created' inside -e DJANGO_SUPERUSER_PASSWORD=secret12 python3 manage.py createsuperuser --no-input --username root --email root@localhost
is 'the admin site' 'Site administration.*Questions' admin /admin/
is 'a form of the admin site' 'What is new' admin /admin/polls/question/1/change/
is 'manage.py check' 'no issues' inside python3 manage.py check
is 'manage.py migrate' 'No migrations to apply' inside python3 manage.py migrate
stop
