"""Server-side rendering of the storefront's pages.

The pages are the React app in ``storefront/``. This package fills its ``index.html`` with titles
and link previews, with the first view of the home, category and product pages as HTML, and with the
data that the app would otherwise request. The app then takes over without moving anything.
"""
