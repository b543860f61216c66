"""The live views: anywidget, one stem of files each, no bundler. Loaded when a view is first shown.

`data` and `lanes` make the table of prepared HTML that a browser steps through; `stepper` is the widget. Does not
model: anything.
"""
