# shellcheck shell=bash
serve 8000
http 200 '<h1>Fragen</h1>' -H 'Accept-Language: de' /
http 200 'Veröffentlicht 29. Februar 2024 12:00.*1,2 Millionen' -H 'Accept-Language: de' /1/
http 200 'Feb. 29, 2024, 9 p.m. JST.*1.2 million.*Save' '/1/?zone=Asia/Tokyo'
http 200 '2024년 2월 29일' -H 'Accept-Language: ko' /1/
http 200 '2024年2月29日' -H 'Accept-Language: ja' /1/
http 200 '29 février 2024' -H 'Accept-Language: fr' /1/
http 200 '2024年2月29日' -H 'Accept-Language: zh-hans' /1/
http 200 '29 Feb. 2024 12:00 UTC.*1,2 millones' -H 'Accept-Language: es-ar' /1/
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
in_admin() { curl -s -b "$WORK/admin" "${@:2}" "http://localhost:8000/admin/$1"; }
is 'in another language' 'Website-Verwaltung.*Benutzer' in_admin '' -H 'Accept-Language: de'
is 'a list of the admin site' 'Select question to change.*What is new' in_admin polls/question/
is 'a search for users' '1 user' in_admin 'auth/user/?q=root&is_staff__exact=1'
is 'a form for a new user' 'Add user.*Password confirmation' in_admin auth/user/add/
is 'changing a password' 'Old password' in_admin password_change/
is 'what is deleted with a question' 'Are you sure|[Cc]annot delete|Delete' in_admin polls/question/1/delete/
is 'the history of a question' 'Change history' in_admin polls/question/1/history/
is 'the end of a session' 'Logged out' in_admin logout/
is 'manage.py help' 'createsuperuser.*dumpdata.*collectstatic' inside python3 manage.py help
is 'manage.py dumpdata' '"model": "polls.choice"' inside python3 manage.py dumpdata polls
is 'manage.py showmigrations' 'auth.*\[X\] 0012' inside python3 manage.py showmigrations
is 'manage.py sqlmigrate' 'CREATE TABLE "polls_question"' inside python3 manage.py sqlmigrate polls 0001
is 'manage.py makemigrations' 'No changes detected' inside python3 manage.py makemigrations --check --dry-run
is 'manage.py shell' 'What is new' inside python3 manage.py shell -c 'from polls.models import Question; print(Question.objects.get())'
is 'manage.py collectstatic' '[0-9]+ static files' inside python3 manage.py collectstatic --no-input --dry-run
is 'manage.py clearsessions' '' inside python3 manage.py clearsessions
exits 'manage.py with a wrong command' 1 "Unknown command: 'nonsense'" inside python3 manage.py nonsense
is 'manage.py check' 'no issues' inside python3 manage.py check
is 'manage.py migrate' 'No migrations to apply' inside python3 manage.py migrate
stop
serve 8000 gunicorn --bind 0.0.0.0:8000 --workers 2 --threads 2 --worker-tmp-dir /dev/shm --access-logfile - config.wsgi
http 200 'What is new' /
stop
serve 8000 python3 manage.py runserver --noreload 0.0.0.0:8000
http 200 'What is new' /
http 404 'Not Found' /nothing
