"""Explorers in a real kernel, driven by the messages that a front end sends, and in plain Python without an event loop."""

import asyncio
import base64
import hashlib
import queue
import time

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

from course_utils import explore as module
from course_utils import plots
from course_utils.explore import Coalesced, explore, explore_clicks, explore_table

VIEW = "application/vnd.jupyter.widget-view+json"
LIMIT = 60  # seconds for any one wait; a wait ends as soon as what it waits for is there


class FrontEnd:
    """A kernel, and what JupyterLab would know of its widgets: the state of each, and the bytes of each picture."""

    def __init__(self):
        self.manager, self.client = start_new_kernel(startup_timeout=LIMIT)
        self.messages, self.states, self.subshell = [], {}, None

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code):
        """Run a cell without an error; returns its displays."""
        return self.until_idle(self.client.execute(code))

    def value(self, expression):
        self.run(f"print(repr({expression}))")
        return eval(next(text for text in reversed(self.texts("stream")) if text.strip()))

    def texts(self, kind):
        return [message["content"].get("text", "") for message in self.messages if message["msg_type"] == kind]

    def move(self, model, *values):
        """Send positions of a slider as a front end does while it is dragged, and do not wait in between."""
        for value in values:
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            sent = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
            sent["header"]["subshell_id"] = self.subshell
            self.client.shell_channel.send(sent)

    def wait_for(self, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            self._read(end)

    def model(self, view, name):
        """The id of the one widget of an explorer whose model has this name, or whose description is this."""
        children = [child.removeprefix("IPY_MODEL_") for child in self.states[view]["children"]]
        return next(
            child
            for child in children
            if name in (self.states[child]["_model_name"], self.states[child].get("description"))
        )

    def until_idle(self, request):
        self.messages.clear()
        end = time.monotonic() + LIMIT
        while True:
            message = self._read(end)
            ours = message["parent_header"].get("msg_id") == request
            assert message["msg_type"] != "error", message["content"]
            if ours and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return [m["content"]["data"] for m in self.messages if m["msg_type"] == "display_data"]

    def _read(self, end):
        try:
            message = self.client.get_iopub_msg(timeout=max(0.01, end - time.monotonic()))
        except queue.Empty:
            pytest.fail(f"the kernel has not answered within {LIMIT} s")
        self.messages.append(message)
        data = message["content"].get("data", {})
        if message["msg_type"] == "comm_open" or data.get("method") == "update":
            state = self.states.setdefault(message["content"]["comm_id"], {})
            state.update(data["state"])
            for (name,), buffer in zip(data.get("buffer_paths", []), message["buffers"], strict=True):
                state[name] = bytes(buffer)
        return message


@pytest.fixture(scope="module")
def front_end():
    front_end = FrontEnd()
    front_end.run(
        """
import hashlib, threading, time
import matplotlib.pyplot as plt
import numpy as np
from course_utils import plots
from course_utils.explore import explore

drawn, threads, pause, spoiled = [], [], 0, 0

def draw(level=3):
    global spoiled
    drawn.append(level)
    threads.append(threading.current_thread().name)
    if level == 13:
        plt.figure()
        raise ZeroDivisionError("no thirteenth level")
    fig = plt.figure(figsize=(1, 1))
    fig.text(0.2, 0.4, str(level))
    time.sleep(pause)
    spoiled += not plt.fignum_exists(fig.number)
    return fig
"""
    )
    yield front_end
    front_end.close()


@pytest.fixture
def shown(front_end):
    """A fresh explorer with a slider from 0 to 100: its front end, its slider, its picture, its message."""
    (bundle,) = front_end.run("drawn.clear(); explore(draw, level=(0, 100, 1))")
    view = bundle[VIEW]["model_id"]
    return front_end, *(front_end.model(view, name) for name in ("level", "ImageModel", "HTMLModel"))


def _picture_of(front_end, level):
    return front_end.value(f"hashlib.sha256(plots.png(draw({level}))).hexdigest()")


def _hash(front_end, picture):
    return hashlib.sha256(front_end.states[picture]["value"]).hexdigest()


def test_display_is_a_widget_and_the_same_plain_sentence_at_each_run(front_end):
    bundles = [front_end.run("explore(draw, level=(0, 100, 1))") for _ in range(2)]
    assert [set(bundle) for (bundle,) in bundles] == [{VIEW, "image/png", "text/plain"}] * 2
    sentence = "An explorer: in JupyterLab, move level (0 to 100) and watch the picture change."
    assert [bundle["text/plain"] for (bundle,) in bundles] == [sentence, sentence]
    assert bundles[0][0][VIEW]["model_id"] != bundles[1][0][VIEW]["model_id"]


def test_display_holds_the_first_picture_and_its_alt_text(front_end):
    for alt in ("", ", alt='the number three, in black'"):
        front_end.run(f"explore(draw, level=(0, 100, 1){alt})")
        (shown,) = [message["content"] for message in front_end.messages if message["msg_type"] == "display_data"]
        data = base64.b64decode(shown["data"]["image/png"])
        wanted = front_end.value("hashlib.sha256(plots.compact(plots.png(draw(3)))).hexdigest()")
        assert hashlib.sha256(data).hexdigest() == wanted
        words = "the number three, in black" if alt else shown["data"]["text/plain"]
        assert shown["metadata"] == {"image/png": {"alt": words}}


def test_display_leaks_no_text_result_or_second_picture(front_end):
    front_end.run("explore(draw, level=(0, 100, 1))")
    kinds = {message["msg_type"] for message in front_end.messages}
    assert kinds <= {"status", "execute_input", "comm_open", "comm_msg", "display_data"}


def test_first_picture_is_the_one_of_the_default(shown):
    front_end, slider, picture, _ = shown
    assert front_end.states[slider]["value"] == 3
    assert _hash(front_end, picture) == _picture_of(front_end, 3)


def test_a_move_shows_the_picture_of_the_new_position(shown):
    front_end, slider, picture, _ = shown
    before = _hash(front_end, picture)
    front_end.move(slider, 71)
    front_end.wait_for(lambda: _hash(front_end, picture) != before)
    assert _hash(front_end, picture) == _picture_of(front_end, 71)


def test_forty_moves_at_once_end_on_the_last_and_draw_few_pictures(shown):
    front_end, slider, picture, _ = shown
    front_end.move(slider, *range(20, 60))
    wanted = _picture_of(front_end, 59)
    front_end.wait_for(lambda: _hash(front_end, picture) == wanted)
    drawn = front_end.value("drawn")
    assert drawn[0] == 3  # the first picture; then what the 40 moves drew; at the end, ours for comparison
    assert 1 <= len(drawn[1:-1]) <= 10


def test_moves_leak_no_text_and_leave_no_figures(shown):
    front_end, slider, picture, _ = shown
    for level in (31, 32, 33):
        before = _hash(front_end, picture)
        front_end.move(slider, level)
        front_end.wait_for(lambda before=before: _hash(front_end, picture) != before)
    kinds = {message["msg_type"] for message in front_end.messages}
    assert kinds <= {"status", "execute_input", "comm_open", "comm_msg", "display_data"}
    assert front_end.value("plt.get_fignums()") == []


def test_later_error_is_written_below_and_gone_after_the_next_move(shown):
    front_end, slider, picture, message = shown
    front_end.move(slider, 13)
    front_end.wait_for(lambda: front_end.states[message]["value"])
    sentence = "This picture could not be drawn: ZeroDivisionError: no thirteenth level"
    assert front_end.states[message]["value"] == sentence
    assert front_end.value("plt.get_fignums()") == []  # else the next cell's output would show the unfinished figure
    front_end.move(slider, 14)
    front_end.wait_for(lambda: not front_end.states[message]["value"])
    wanted = _picture_of(front_end, 14)
    front_end.wait_for(lambda: _hash(front_end, picture) == wanted)


@pytest.fixture
def over_subshell(front_end):
    """Send what follows as JupyterLab sends it: to a second thread of the kernel, which stays awake while a cell runs."""
    session, control = front_end.client.session, front_end.client.control_channel
    control.send(session.msg("create_subshell_request", {}))
    front_end.subshell = control.get_msg(timeout=LIMIT)["content"]["subshell_id"]
    yield
    control.send(session.msg("delete_subshell_request", {"subshell_id": front_end.subshell}))
    control.get_msg(timeout=LIMIT)
    front_end.subshell = None


def test_moves_while_a_cell_runs_are_drawn_after_it_and_stay_out_of_it(shown, over_subshell):
    front_end, slider, picture, _ = shown
    before = _hash(front_end, picture)
    front_end.move(slider, 30)  # the kernel answers where the last message came from: the first move leads it there
    front_end.wait_for(lambda: _hash(front_end, picture) != before)
    request = front_end.client.execute("time.sleep(0.5); ended = len(drawn)")
    for level in range(40, 60):
        front_end.move(slider, level)
        time.sleep(0.02)
    assert front_end.until_idle(request) == []  # a figure that is half drawn would be shown, and closed, by the cell
    wanted = _picture_of(front_end, 59)
    front_end.wait_for(lambda: _hash(front_end, picture) == wanted)
    assert front_end.value("drawn[:ended]") == [3, 30]
    assert set(front_end.value("threads")) == {"MainThread"}


def test_moves_that_come_while_a_picture_is_drawn_do_not_spoil_it(shown, over_subshell):
    front_end, slider, picture, _ = shown
    front_end.run("pause = 0.1")
    try:
        for level in range(40, 60):  # each message ends, in its thread, with IPython showing and closing open figures
            front_end.move(slider, level)
            time.sleep(0.03)
        wanted = _picture_of(front_end, 59)
        front_end.wait_for(lambda: _hash(front_end, picture) == wanted)
        assert "display_data" not in {message["msg_type"] for message in front_end.messages}
        assert front_end.value("spoiled") == 0
    finally:
        front_end.run("pause = 0")


# Without a kernel


@pytest.fixture
def boxes(monkeypatch):
    """The box of each explorer that is opened where no event loop runs."""
    plt.close("all")
    boxes = []

    class Box(widgets.VBox):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            boxes.append(self)

    monkeypatch.setattr(widgets, "VBox", Box)
    monkeypatch.setattr(module, "display", lambda *args, **kwargs: None)
    yield boxes
    assert plt.get_fignums() == []


@pytest.fixture
def open_explorer(boxes):
    """Call `explore`; it returns the sliders, the picture and the message."""

    def call(draw, **sliders):
        explore(draw, **sliders)
        *controls, message, picture = boxes[-1].children
        return controls, picture, message

    return call


def _draw(**values):
    fig = plt.figure(figsize=(1, 1))
    fig.text(0.1, 0.4, str(values))
    return fig


def test_without_an_event_loop_it_redraws_at_once(open_explorer):
    (slider,), picture, _ = open_explorer(_draw, level=(0, 10, 1))
    before = picture.value
    slider.value = 9
    assert picture.value != before
    assert picture.value == plots.png(_draw(level=9))


def test_each_slider_moves_its_own_keyword(open_explorer):
    (first, second), picture, _ = open_explorer(_draw, one=(0, 10, 1), two=(0, 10, 1))
    second.value = 9
    assert picture.value == plots.png(_draw(one=5, two=9))
    first.value = 2
    assert picture.value == plots.png(_draw(one=2, two=9))


@pytest.mark.parametrize(
    ("spec", "kind", "middle"),
    [
        ((0, 10, 1), widgets.IntSlider, 5),
        ((0, 255, 1), widgets.IntSlider, 127),  # 127.5 is no position
        ((3, 12, 4), widgets.IntSlider, 7),  # the positions are 3, 7 and 11
        ((0.0, 1.0, 0.25), widgets.FloatSlider, 0.5),
        ((0, 1, 0.25), widgets.FloatSlider, 0.5),  # one float is enough
        ((-2.0, 2.0, 0.5), widgets.FloatSlider, 0.0),
    ],
)
def test_without_a_default_a_slider_starts_in_the_middle(open_explorer, spec, kind, middle):
    (slider,), _, _ = open_explorer(lambda level: _draw(level=level), level=spec)
    assert type(slider) is kind
    assert (slider.value, slider.min, slider.max, slider.step) == (middle, *spec)


def test_whole_numbers_of_numpy_give_an_integer_slider(open_explorer):
    (slider,), _, _ = open_explorer(lambda level: _draw(level=level), level=(np.int64(0), np.uint8(10), 1))
    assert type(slider) is widgets.IntSlider
    assert slider.value == 5


def test_with_a_default_a_slider_starts_there(open_explorer):
    def draw(low=2, high=0.75):
        return _draw(low=low, high=high)

    (low, high), picture, _ = open_explorer(draw, low=(0, 10, 1), high=(0, 1, 0.05))
    assert (low.value, high.value) == (2, 0.75)
    assert picture.value == plots.png(draw())


def test_label_is_the_name_in_words(open_explorer):
    (slider,), _, _ = open_explorer(_draw, dark_share=(0, 10, 1))
    assert slider.description == "dark share"


def test_an_error_at_the_start_is_raised(open_explorer):
    def draw(level=1):
        plt.figure()
        raise KeyError(level)

    with pytest.raises(KeyError):
        open_explorer(draw, level=(0, 10, 1))


def test_a_drawing_function_without_a_figure_gets_a_clear_sentence(open_explorer):
    def draw(level=1):
        plt.figure()

    with pytest.raises(TypeError, match=r"^the drawing function should return a figure, and returned None\.$"):
        open_explorer(draw, level=(0, 10, 1))


def test_an_error_after_the_start_keeps_the_last_picture_and_is_explained(open_explorer):
    def draw(level=1):
        if level == 5:
            raise ZeroDivisionError("division by <b> zero")
        return _draw(level=level)

    (slider,), picture, message = open_explorer(draw, level=(0, 10, 1))
    before = picture.value
    slider.value = 5
    assert picture.value == before
    assert message.value == "This picture could not be drawn: ZeroDivisionError: division by &lt;b&gt; zero"
    slider.value = 6
    assert message.value == ""
    assert picture.value == plots.png(draw(6))


@pytest.mark.parametrize(
    "spec",
    [5, None, [], {}, "abc", ("a", "b", "c"), (0, 10), (0, 10, 1, 2), (0, 10, 0), (0, 10, -1), (10, 0, 1), (4, 4, 1)],
    ids=repr,
)
def test_a_slider_that_is_no_range_gets_one_sentence(open_explorer, spec):
    with pytest.raises(ValueError, match=r"^the slider 'level' expects [^.\n]*, got .*\.$") as caught:
        open_explorer(_draw, level=spec)
    assert repr(spec) in str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_slider_without_a_finite_end_gets_one_sentence(open_explorer, bad):
    with pytest.raises(ValueError, match=r"^the slider 'level' expects low < high and a step above 0, got .*\.$"):
        open_explorer(_draw, level=(0, bad, 1))


@pytest.mark.parametrize("default", ["high", None, (1, 2), 11, -1, float("nan")], ids=repr)
def test_a_default_that_is_no_position_gets_one_sentence(open_explorer, default):
    def draw(level=default):
        return _draw(level=level)

    with pytest.raises(ValueError, match=r"^the slider 'level' goes from 0 to 10, and the drawing function begins at"):
        open_explorer(draw, level=(0, 10, 1))


def test_a_slider_that_draw_does_not_take_is_named(open_explorer):
    with pytest.raises(ValueError, match=r"^the drawing function takes one, two, and there is a slider 'three'\.$"):
        open_explorer(lambda one, two: None, three=(0, 1, 1))


@pytest.mark.parametrize("alt", ["", "  ", 3, (0, 1, 1)], ids=repr)
def test_alt_that_is_not_a_text_gets_one_sentence(open_explorer, open_table, alt):
    with pytest.raises(ValueError, match=r"^alt should say .* it is .*\.$"):
        open_explorer(_draw, level=(0, 1, 1), alt=alt)
    with pytest.raises(ValueError, match=r"^alt should say .* it is .*\.$"):
        explore_table(_draw_table, [[1, 2]], alt=alt)


def test_message_takes_no_room_while_there_is_none(open_explorer):
    (slider,), _, message = open_explorer(lambda level=1: _draw(level=1 // level), level=(0, 10, 1))
    shown = [message.layout.display]
    for level in (0, 5):
        slider.value = level
        shown.append(message.layout.display)
    assert shown == ["none", None, "none"]


def test_no_slider_at_all_is_an_error(open_explorer):
    with pytest.raises(ValueError, match="expects at least one slider"):
        open_explorer(_draw)


def test_coalesced_does_many_requests_in_one_go_and_later_ones_in_another():
    done = []

    async def ask():
        request = Coalesced(lambda: done.append("work"))
        for _ in range(5):
            request({"new": 1})
        assert done == []  # soon, not now
        await asyncio.sleep(0.1)
        assert done == ["work"]
        request()
        await asyncio.sleep(0.1)

    asyncio.run(ask())
    assert done == ["work", "work"]


def test_coalesced_goes_on_after_its_work_has_failed():
    done = []

    def work():
        done.append("work")
        raise RuntimeError

    async def ask():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        request = Coalesced(work)
        for _ in range(2):
            request()
            await asyncio.sleep(0.1)

    asyncio.run(ask())
    assert done == ["work", "work"]


def test_a_request_that_comes_while_work_is_done_is_not_lost():
    done = []

    async def ask():
        request = Coalesced(lambda: (done.append("work"), len(done) < 3 and request()))
        request()
        await asyncio.sleep(0.3)

    asyncio.run(ask())
    assert done == ["work"] * 3


# A table of numbers


@pytest.fixture
def open_table(boxes):
    """Call `explore_table`; it returns the fields, the picture and the message."""

    def call(draw, table):
        explore_table(draw, table)
        fields, message, picture = boxes[-1].children
        return fields.children, picture, message

    return call


def _draw_table(table):
    assert table.dtype == float
    return _draw(table=table.tolist())


def test_table_in_a_kernel_is_a_widget_that_redraws_on_a_change(front_end):
    (bundle,) = front_end.run("""
from course_utils.explore import explore_table

def draw_table(table):
    fig = plt.figure(figsize=(1, 1))
    fig.text(0.2, 0.4, str(table.sum()))
    return fig

explore_table(draw_table, [[1, 2], [3, 4], [5, 6]])
""")
    assert set(bundle) == {VIEW, "image/png", "text/plain"}
    assert bundle["text/plain"] == (
        "An explorer: in JupyterLab, type other numbers into the 3 x 2 table and watch the picture change."
    )
    view = bundle[VIEW]["model_id"]
    grid, picture, message = (front_end.model(view, name) for name in ("GridBoxModel", "ImageModel", "HTMLModel"))
    field = front_end.states[grid]["children"][3].removeprefix("IPY_MODEL_")
    assert front_end.states[field]["value"] == "4"
    front_end.move(field, "1o")
    front_end.wait_for(lambda: "row 2, column 2 holds '1o'" in front_end.states[message]["value"])
    front_end.move(field, "10")
    front_end.wait_for(lambda: not front_end.states[message]["value"])
    wanted = front_end.value("hashlib.sha256(plots.png(draw_table(np.array([27.0])))).hexdigest()")
    front_end.wait_for(lambda: _hash(front_end, picture) == wanted)
    kinds = {message["msg_type"] for message in front_end.messages}
    assert kinds <= {"status", "execute_input", "stream", "comm_open", "comm_msg", "display_data"}
    assert front_end.value("plt.get_fignums()") == []


def test_fields_stand_in_the_order_of_the_table(open_table):
    fields, picture, message = open_table(_draw_table, [[1, -2.5, 3], [4e9, 0, 1e-7]])
    assert [field.value for field in fields] == ["1", "-2.5", "3", "4000000000", "0", "1e-07"]
    assert fields[4].tooltip == "row 2, column 2"
    assert picture.value == plots.png(_draw_table(np.array([[1, -2.5, 3], [4e9, 0, 1e-7]])))
    assert message.value == ""


@pytest.mark.parametrize(("typed", "number"), [("7", 7), (" -0.5 ", -0.5), ("1e3", 1000), ("\u22123", -3)])
def test_each_field_changes_its_own_number(open_table, typed, number):
    fields, picture, message = open_table(_draw_table, [[1, 2], [3, 4]])
    fields[2].value = typed
    assert picture.value == plots.png(_draw_table(np.array([[1, 2], [number, 4.0]])))
    assert message.value == ""


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("a", "'a'"), ("", "nothing"), ("  ", "nothing"), ("1,5", "'1,5'"), ("nan", "'nan'"), ("-inf", "'-inf'"),
        ("1e999", "'1e999'"), ("1/2", "'1/2'"), ("<b>", "'&lt;b&gt;'"),
    ],
)  # fmt: skip
def test_an_entry_that_is_no_number_keeps_the_picture_and_is_named(open_table, typed, held):
    fields, picture, message = open_table(_draw_table, [[1, 2], [3, 4]])
    before = picture.value
    fields[1].value = typed
    assert picture.value == before
    sentence = f"The picture waits: row 1, column 2 holds {held}. Type a finite number, such as 3 or -0.5."
    assert message.value == sentence
    fields[1].value = "2"
    assert message.value == ""


def test_all_entries_that_are_no_number_are_named(open_table):
    fields, _, message = open_table(_draw_table, [[1, 2], [3, 4]])
    fields[0].value, fields[3].value = "x", "y"
    assert "row 1, column 1 holds 'x'; row 2, column 2 holds 'y'." in message.value
    fields[0].value = "1"
    assert "column 1" not in message.value
    assert "row 2, column 2 holds 'y'" in message.value


def test_an_error_of_the_drawing_is_told_from_an_entry_that_is_no_number(open_table):
    def draw(table):
        if table[0, 0] == 0:
            raise ZeroDivisionError("no corner")
        return _draw_table(table)

    fields, picture, message = open_table(draw, [[1, 2]])
    fields[0].value = "0"
    assert message.value == "This picture could not be drawn: ZeroDivisionError: no corner"
    fields[0].value = "5"
    assert message.value == ""
    assert picture.value == plots.png(draw(np.array([[5.0, 2]])))


@pytest.mark.parametrize(
    "table",
    [[], [[]], [1, 2], 3, None, "ab", [[1], [1, 2]], [[1, np.nan]], [[np.inf]], [["a"]], np.ones((9, 1)), np.ones((1, 1, 1))],
    ids=str,
)  # fmt: skip
def test_a_start_that_is_no_table_gets_one_sentence(open_table, table):
    with pytest.raises(ValueError, match=r"^explore_table\(draw, table\) expects rows of finite numbers"):
        open_table(_draw_table, table)


def _draw_marks(marks, level=3):
    fig = plt.figure(figsize=(2, 1))
    fig.add_axes([0.1, 0.2, 0.3, 0.5]).set_axis_off()
    fig.text(0.1, 0.4, f"{level}" + "".join(str(int(mark)) for mark in marks.ravel()))
    return fig


def test_a_click_sets_its_own_mark_and_a_second_one_clears_it(boxes):
    explore_clicks(_draw_marks, np.array([[False, True], [False, False]]))
    message, (picture, grid) = boxes[-1].children[0], boxes[-1].children[1].children
    assert grid.children[2].tooltip == "row 2, column 1"
    grid.children[2].click()
    assert picture.value == plots.png(_draw_marks(np.array([[False, True], [True, False]])))
    grid.children[2].click()
    assert picture.value == plots.png(_draw_marks(np.array([[False, True], [False, False]])))
    assert message.value == ""


def test_clicks_and_sliders_work_together(boxes):
    explore_clicks(_draw_marks, np.zeros((1, 2), bool), level=(0, 9, 1))
    slider, _, both = boxes[-1].children
    picture, grid = both.children
    slider.value = 7
    grid.children[1].click()
    assert picture.value == plots.png(_draw_marks(np.array([[False, True]]), level=7))


def test_the_places_lie_over_the_first_axes(boxes):
    explore_clicks(_draw_marks, np.zeros((4, 6), bool))
    grid = boxes[-1].children[1].children[1]
    assert len(grid.children) == 24
    # In percent of the width of 2 inches: 0.3 of the 1 inch above, 0.6 to the right, 0.2 below, and 0.1 to the left.
    assert grid.layout.margin == "15.00% 60.00% 10.00% 10.00%"
    assert "repeat(6," in grid.layout.grid_template_columns
    assert "repeat(4," in grid.layout.grid_template_rows


def test_drawing_that_changes_its_marks_changes_nothing_else(boxes):
    def draw(marks):
        fig = _draw_marks(marks)
        marks[:] = True
        return fig

    explore_clicks(draw, np.zeros((1, 2), bool))
    picture, grid = boxes[-1].children[1].children
    grid.children[0].click()
    assert picture.value == plots.png(_draw_marks(np.array([[True, False]])))


def test_what_is_given_as_marks_stays_as_it_is(boxes):
    marks = np.zeros((1, 2), bool)
    explore_clicks(_draw_marks, marks)
    boxes[-1].children[1].children[1].children[0].click()
    assert not marks.any()


@pytest.mark.parametrize("marks", [[[1, 0]], [True, False], np.zeros((2, 17), bool), np.zeros((0, 3), bool), "x"])
def test_what_is_no_grid_of_marks_gets_one_sentence(marks):
    with pytest.raises(ValueError, match=r"^explore_clicks\(draw, marks\) expects a grid") as caught:
        explore_clicks(_draw_marks, marks)
    assert "\n" not in str(caught.value)
