# shellcheck shell=bash
serve 8080
url=http://127.0.0.1:8080/project.git
# work SCRIPT: with git, in a container of the fat image.
work() { client sh -euc "cd /tmp; export HOME=/tmp; git config --global user.name a; git config --global user.email a@b; $1"; }
is 'clone' 'hello' work "git clone -q $url p; cat p/README"
is 'a shallow clone' '^1$' work "git clone -q --depth 1 $url p; git -C p rev-list --count HEAD"
is 'a partial clone' 'first' work "git clone -q --filter=blob:none $url p; git -C p log --oneline"
is 'push a branch' 'new branch' work "git clone -q $url p; cd p; git checkout -q -b more; seq 30000 > n; git add n; git commit -qm more; git push origin more 2>&1"
is 'push a tag' 'new tag' work "git clone -q $url p; cd p; git tag -a v1 -m one; git push origin v1 2>&1"
is 'a hook' 'RECEIVED HOOKED IN HOOKED' work "git clone -q $url p; cd p; git checkout -q -b hooked; git commit -q --allow-empty -m hooked; git push origin hooked 2>&1"
is 'a large push' 'new branch' work "git clone -q $url p; cd p; git checkout -q -b large; head -c 3000000 /dev/urandom >r; git add r; git commit -qm large; git push origin large 2>&1"
is 'a clone of one branch' 'large' work "git clone -q --single-branch --branch large $url p; git -C p log -1 --format=%s"
is 'what was pushed' 'refs/heads/more.*refs/tags/v1' work "git ls-remote $url"
is 'the older protocol' 'refs/heads/main' work "git -c protocol.version=0 ls-remote $url"
exits 'a push that is refused' 1 'non-fast-forward|rejected|fetch first' work "git clone -q $url p; cd p; git commit -q --amend -m other; git push origin main 2>&1"
is 'delete a branch' 'deleted' work "git clone -q $url p; cd p; git push origin :more 2>&1"
is 'fetch after a push' 'third' work "git clone -q $url p; cd p; echo 3 > 3; git add 3; git commit -qm third; git push -q; git clone -q $url ../q; git -C ../q log --oneline -1"
http 200 'ref: refs/heads/main' /project.git/HEAD
http 404 '' /project.git/nothing
http 404 '' /nothing.git/info/refs
http 403 '' '/project.git/info/refs?service=git-nonsense'
is 'gc in the container' '' inside /usr/lib/git-core/git -C /srv/git/project.git gc --quiet
is 'fsck in the container' '' inside /usr/lib/git-core/git -C /srv/git/project.git fsck
is 'log in the container' 'first' inside /usr/lib/git-core/git -C /srv/git/project.git log --oneline main
is 'repack in the container' '' inside /usr/lib/git-core/git -C /srv/git/project.git repack -adq
is 'an archive' 'README' inside /usr/lib/git-core/git -C /srv/git/project.git archive main
is 'a bundle' '' inside git -C /srv/git/project.git bundle create -q /tmp/b main
is 'what is in the bundle' 'refs/heads/main' inside git bundle list-heads /tmp/b
is 'a new repository' 'Initialized empty' inside git init --bare -b trunk /tmp/new
is 'its branch' 'refs/heads/trunk' inside git --git-dir=/tmp/new symbolic-ref HEAD
is 'verified objects' '' inside git -C /srv/git/project.git multi-pack-index write
is 'a blame' 'hello' inside git -C /srv/git/project.git blame main -- README
stop INT
