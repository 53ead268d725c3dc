import io
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        face = query.get("face", "DejaVuSans")
        font = ImageFont.truetype(f"/usr/share/fonts/truetype/dejavu/{face}.ttf", 24)
        image = Image.new("RGB", (200, 40), "white")
        ImageDraw.Draw(image).text((4, 4), query["text"], "black", font)
        self.answer(image, query["format"])

    def do_POST(self):
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            image = Image.open(io.BytesIO(body))
            image.thumbnail((32, 32))
        except UnidentifiedImageError as error:
            self.send_error(415, str(error)[:60])
            return
        self.answer(image, query["format"])

    def answer(self, image, format):
        out = io.BytesIO()
        try:
            image.convert("P" if format == "gif" else "RGB").save(out, format)
        except KeyError:
            self.send_error(400, "unknown format")
            return
        self.send_response(200)
        self.send_header("Content-Type", Image.MIME.get(format.upper(), "application/octet-stream"))
        self.end_headers()
        self.wfile.write(out.getvalue())


server = ThreadingHTTPServer(("", 8000), Handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server.serve_forever()
