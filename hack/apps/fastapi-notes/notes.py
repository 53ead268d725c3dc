import asyncio
from datetime import date
from decimal import Decimal
from enum import Enum
from uuid import UUID, uuid5, NAMESPACE_URL

from fastapi import BackgroundTasks, Depends, FastAPI, File, Form, HTTPException, UploadFile, WebSocket
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field

app = FastAPI(title="Notes")
basic = HTTPBasic()


class Kind(str, Enum):
    todo = "todo"
    idea = "idea"


class Note(BaseModel):
    text: str = Field(min_length=1)
    kind: Kind = Kind.todo
    due: date | None = None
    cost: Decimal | None = None
    id: UUID | None = None


notes = [Note(text="milk")]
log = []


@app.get("/notes", response_model=list[Note])
async def listing(kind: Kind | None = None, limit: int = 10):
    return [n for n in notes if kind is None or n.kind == kind][:limit]


@app.post("/notes", status_code=201)
async def add(note: Note, tasks: BackgroundTasks):
    note.id = uuid5(NAMESPACE_URL, note.text)
    notes.append(note)
    tasks.add_task(log.append, f"added {note.text}")
    return note


@app.get("/notes/{number}", response_model=Note)
def one(number: int):
    if number >= len(notes):
        raise HTTPException(404, "no such note")
    return notes[number]


@app.post("/upload")
async def upload(name: str = Form(), file: UploadFile = File()):
    data = await file.read()
    return {"name": name, "type": file.content_type, "bytes": len(data)}


@app.get("/me")
def me(user: HTTPBasicCredentials = Depends(basic)):
    return user.username


@app.get("/page", response_class=HTMLResponse)
def page():
    return "<h1>Notes</h1>"


@app.get("/old")
def old():
    return RedirectResponse("/notes")


@app.get("/log", response_class=PlainTextResponse)
def show():
    return "\n".join(log)


@app.get("/stream")
async def stream():
    async def parts():
        for i in range(3):
            yield f"part {i}\n"
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/plain")


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text((await socket.receive_text()).upper())
