import asyncio
import os
import sys

os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": "/home/ada", "TZ": "UTC"})
from tests.snapshot import consents
from tests.snapshot.stage import StageApp, asking

EVENTS = {"command": consents.commanded, "alike": consents.alike, "rules": consents.ruled, "edit": asking}


async def main(name, w, h, theme, keys, out):
    app = StageApp(theme, EVENTS[name]())
    async with app.run_test(size=(w, h)) as pilot:
        await pilot.pause()
        await pilot.pause()
        for k in keys:
            if k == "LATER":
                app.moment += 1
            elif k.startswith("/"):
                await app.screen.run_action(k[1:])
            elif k == "EXPLAINED":
                from core.protocol.envelope import Envelope

                app._main.presenter.apply(
                    [Envelope(seq=99, ts=0.0, session_id="s", event=e) for e in consents.explained()]
                )
            else:
                await pilot.press(k)
            await pilot.pause()
            await pilot.pause()
        strips = app.screen._compositor.render_strips()
        print("\n".join("".join(s.text for s in st).rstrip() for st in strips))
        if out:
            open(out, "w").write(app.export_screenshot(title="x"))


a = sys.argv
asyncio.run(main(a[1], int(a[2]), int(a[3]), a[4], a[6:], a[5] if a[5] != "-" else ""))
