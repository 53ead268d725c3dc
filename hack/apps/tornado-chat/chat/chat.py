import asyncio
import signal
import ssl

import tornado.httpserver
import tornado.locale
import tornado.web
import tornado.websocket

said = []


class Room(tornado.web.RequestHandler):
    def get(self):
        self.render("room.html", said=said)

    def post(self):
        said.append(self.get_body_argument("text"))
        self.redirect("/")


class Help(tornado.web.RequestHandler):
    def get(self, topic):
        self.render(f"help_{topic}.html")


class Socket(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        said.append(message)
        self.write_message(f"{len(said)}: {message}")


class Slow(tornado.web.RequestHandler):
    async def get(self):
        out = await asyncio.create_subprocess_exec("date", "-u", "-d", "@0", "+%F", stdout=asyncio.subprocess.PIPE)
        self.write((await out.communicate())[0])


async def main():
    tornado.locale.load_translations("locale", "utf-8")
    app = tornado.web.Application(
        [("/", Room), ("/help/([a-z]+)", Help), ("/socket", Socket), ("/date", Slow)],
        template_path="templates", static_path="static", gzip=True, compress_response=True,
    )
    app.listen(8000)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain("tls.crt", "tls.key")
    tornado.httpserver.HTTPServer(app, ssl_options=tls).listen(8443)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await end.wait()


asyncio.run(main())
