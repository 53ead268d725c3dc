import sqlite3
from datetime import datetime, timezone

from flask import Flask, abort, g, jsonify, render_template, request, send_file
from flask_babel import Babel, format_currency, format_datetime, gettext

app = Flask(__name__)
app.config["BABEL_DEFAULT_LOCALE"] = "en"
babel = Babel(app)


def locale():
    return request.args.get("lang") or request.accept_languages.best_match(["en", "de", "ja"])


def zone():
    return request.args.get("zone")


babel.localeselector(locale)
babel.timezoneselector(zone)
app.jinja_env.globals["language"] = locale


def database():
    if "db" not in g:
        g.db = sqlite3.connect("/data/shop.db")
        g.db.row_factory = sqlite3.Row
        g.db.executescript(app.open_resource("schema.sql").read().decode())
    return g.db


@app.teardown_appcontext
def close(_):
    if "db" in g:
        g.db.close()


@app.get("/")
def index():
    return render_template("index.html")


@app.get("/products")
def products():
    return render_template("products.html", products=database().execute("SELECT * FROM product ORDER BY id").fetchall(), money=format_currency)


@app.get("/products/<int:number>")
def product(number):
    row = database().execute("SELECT * FROM product WHERE id = ?", (number,)).fetchone()
    if row is None:
        abort(404)
    return render_template("product.html", product=row, money=format_currency)


@app.post("/products")
def add():
    body = request.get_json()
    with database() as db:
        number = db.execute("INSERT INTO product (name, price) VALUES (?, ?)", (body["name"], body["price"])).lastrowid
    return jsonify(id=number, message=gettext("Saved")), 201


@app.get("/time")
def time():
    when = datetime.fromtimestamp(int(request.args.get("at", 0)), timezone.utc)
    return format_datetime(when, "full") + "\n"


@app.get("/export.<kind>")
def export(kind):
    rows = [dict(r) for r in database().execute("SELECT * FROM product ORDER BY id")]
    if kind == "json":
        return jsonify(rows)
    if kind == "csv":
        import csv
        import io

        out = io.StringIO()
        writer = csv.DictWriter(out, ["id", "name", "price"])
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue(), {"Content-Type": "text/csv"}
    if kind == "xml":
        from xml.etree import ElementTree

        root = ElementTree.Element("products")
        for row in rows:
            ElementTree.SubElement(root, "product", {k: str(v) for k, v in row.items()})
        return ElementTree.tostring(root), {"Content-Type": "application/xml"}
    if kind == "zip":
        import io
        import zipfile

        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("products.txt", "\n".join(r["name"] for r in rows))
        out.seek(0)
        return send_file(out, "application/zip")
    abort(404)


@app.errorhandler(404)
def missing(_):
    return render_template("error.html", text=gettext("Nothing here")), 404
