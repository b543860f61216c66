"""The harness of the browser tests: an isolated JupyterLab, a Chromium, and what a test does with them.

A test takes the fixture `page`, calls `open_notebook(page, "00-tour.ipynb")` and `run_all(page)`, and looks around with
Playwright. When it is over, `page` itself asserts that the console saw no error and that nothing outside this machine
was asked for; a test that expects one of these empties the list in `watch`. Without a Chromium the tests fail, they are
never skipped. Set AVICKIT_SCREENSHOTS to a folder to keep what `screenshot` takes.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

import kit

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SECONDS = 1000  # Playwright counts in milliseconds
START_LIMIT = 180  # seconds; a cold start on a slow laptop takes about 20
PATIENCE = 60  # seconds for anything else: a loaded machine must not fail a test
expect.set_options(timeout=PATIENCE * SECONDS)

# Chromium as root in a container needs --no-sandbox; the rest keeps it from talking to its maker.
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KERNEL_IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
ERRORS_IN_OUTPUTS = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
    const outputs = [...cells].flatMap(cell => cell.outputs?.toJSON() ?? []);
    return outputs.filter(output => output.output_type === 'error').map(output => output.evalue);
}"""


@dataclass
class Watch:
    """What a page did that it should not have done."""

    errors: list[str] = field(default_factory=list)
    """Errors in the browser's console, and uncaught exceptions."""
    external: list[str] = field(default_factory=list)
    """Addresses outside this machine that were asked for."""

    def assert_quiet(self) -> None:
        """Fail if there was anything."""
        assert not self.external, f"requests that left this machine: {self.external}"
        assert not self.errors, f"errors in the browser's console: {self.errors}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below this folder, so that none is forgotten by `-m browser`."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def isolated(home: Path) -> dict[str, str]:
    """The environment of a JupyterLab that neither sees nor touches the settings of the person who runs the tests."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    # Without this dialog about news: it would cover the notebook, and ask an outside address.
    news = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}))
    return {**os.environ, **{name: str(home / folder) for name, folder in folders.items()}}


def free_port() -> int:
    """A port on this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_server(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when JupyterLab answers; fail with its log if it ends or takes too long."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start; its log ends with:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def lab_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab shows: copies of the notebooks. A test may put more notebooks there."""
    return Path(shutil.copytree(NOTEBOOKS, tmp_path_factory.mktemp("lab") / "notebooks"))


@pytest.fixture(scope="session")
def lab_url(lab_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running JupyterLab: for this session only, on this machine only, hence without a token."""
    port, home = free_port(), tmp_path_factory.mktemp("jupyter")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={lab_root}", "--LabApp.expose_app_in_browser=True"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    url, log = f"http://127.0.0.1:{port}", home / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(command, env=isolated(home), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            wait_for_server(url, server, log)
            yield url
        finally:
            server.terminate()  # JupyterLab ends its kernels on this signal
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A running Chromium, found as kit.py finds it."""
    executable = kit.find_chromium()
    if executable is None:
        pytest.fail(f"The browser tests need a Chromium: {kit.browser_cure()}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Watch:
    """What `page` notes down."""
    return Watch()


@pytest.fixture
def page(chromium: Browser, lab_url: str, watch: Watch) -> Iterator[Page]:
    """A fresh page at JupyterLab's address (`page.goto` takes paths), 1400 by 1000 pixels."""
    context = chromium.new_context(base_url=lab_url, viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE * SECONDS)
    fresh = context.new_page()

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            watch.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def note_request(request: Request) -> None:
        if not request.url.startswith((lab_url, "data:", "blob:", "about:")):
            watch.external.append(request.url)

    fresh.on("console", note_console)
    fresh.on("pageerror", lambda error: watch.errors.append(str(error)))
    context.on("request", note_request)
    yield fresh
    context.close()
    watch.assert_quiet()


def open_notebook(page: Page, name: str) -> None:
    """Open a notebook of `lab_root` in a clean workspace and wait until its kernel is idle."""
    page.goto(f"/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook", timeout=START_LIMIT * SECONDS)
    wait_idle(page)


def run_all(page: Page) -> None:
    """Run all cells of the open notebook and wait for the end; fail if a cell raised."""
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait_idle(page)
    assert (raised := page.evaluate(ERRORS_IN_OUTPUTS)) == [], f"cells raised {raised}"


def wait_idle(page: Page) -> None:
    """Wait until the kernel of the open notebook has nothing to do."""
    page.wait_for_function(KERNEL_IDLE, timeout=START_LIMIT * SECONDS)


def in_kernel(page: Page, code: str) -> str:
    """What `code` prints in the kernel of the open notebook: how a test sees what reached Python."""
    script = """async code => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        const future = kernel.requestExecute({ code, store_history: false });
        let text = '';
        future.onIOPub = message => {
            if (message.header.msg_type === 'stream') text += message.content.text;
            if (message.header.msg_type === 'error') text += message.content.evalue;
        };
        await future.done;
        return text;
    }"""
    return str(page.evaluate(script, code)).strip()


def expect_in_kernel(page: Page, code: str, printed: str) -> None:
    """Wait until `code` prints that in the kernel: what a browser tells it is a while on the way."""
    deadline = time.monotonic() + PATIENCE
    while (found := in_kernel(page, code)) != printed and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert found == printed


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page if AVICKIT_SCREENSHOTS names a folder."""
    folder = os.environ.get("AVICKIT_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")
