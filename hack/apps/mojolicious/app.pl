#!/usr/bin/perl
use Mojolicious::Lite -signatures;
use Mojo::JSON qw(encode_json);
use utf8;

app->secrets(['for the test alone']);
helper db => sub ($c) {
	require DBI;
	state $db = do {
		my $db = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', {RaiseError => 1, sqlite_unicode => 1});
		$db->do('create table books (title text)');
		$db;
	};
};

get '/' => 'index';
get '/json' => sub ($c) { $c->render(json => {books => ['Grüße', 1.5, undef]}) };
post '/books' => sub ($c) {
	$c->db->do('insert into books values (?)', {}, $c->param('title'));
	$c->render(json => $c->db->selectcol_arrayref('select title from books'), status => 201);
};
get '/decode/:charset' => sub ($c) {
	require Encode;
	$c->render(text => Encode::decode($c->param('charset'), pack('H*', $c->param('hex'))));
};
get '/time' => sub ($c) {
	require POSIX;
	local $ENV{TZ} = $c->param('zone');
	POSIX::tzset();
	$c->render(text => POSIX::strftime('%F %T %Z', localtime 0));
};
get '/char/:name' => sub ($c) {
	require charnames;
	$c->render(text => sprintf 'U+%04X', charnames::vianame($c->param('name')));
};
get '/digest' => sub ($c) { require Digest::SHA; $c->render(text => Digest::SHA::sha256_hex('x')) };
get '/math' => sub ($c) { require Math::BigInt; $c->render(text => Math::BigInt->new(2)->bpow(100)) };
get '/gzip' => sub ($c) { require IO::Compress::Gzip; my $in = 'x' x 999; IO::Compress::Gzip::gzip(\$in => \my $out); $c->render(text => length $out) };
get '/normal' => sub ($c) { require Unicode::Normalize; $c->render(text => length Unicode::Normalize::NFD('é')) };
get '/collate' => sub ($c) { require Unicode::Collate; $c->render(text => join ' ', Unicode::Collate->new->sort('Zebra', 'Äpfel', 'Birne')) };
get '/dump' => sub ($c) { require Data::Dumper; $c->render(text => Data::Dumper->new([{a => 1}])->Indent(0)->Dump) };
get '/shell' => sub ($c) { $c->render(text => scalar `echo from a shell`) };
get '/kernel' => sub ($c) { open my $pipe, 'uname -s |'; $c->render(text => readline $pipe) };
get '/dom' => sub ($c) { $c->render(text => Mojo::DOM->new('<p>a<p>b')->find('p')->size) };
get '/agent' => sub ($c) {
	$c->render_later;
	$c->ua->get_p('http://127.0.0.1:3000/digest')->then(sub ($tx) { $c->render(text => $tx->res->body) });
};
get '/boom' => sub ($c) { die "broken on purpose\n" };
get '/embedded' => 'embedded';
get '/page/:name' => sub ($c) { $c->render(template => 'page', name => $c->param('name')) };
websocket '/echo' => sub ($c) { $c->on(message => sub ($c, $m) { $c->send("echo $m") }) };
app->start;

__DATA__

@@ embedded.html.ep
<p>embedded</p>
