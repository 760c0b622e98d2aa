"""The storefront's pages as they leave the server: what previews and eyes see first.

The pages themselves are the React program in ``storefront/``. Here its ``index.html`` is filled:
title and previews, the first sight of home, category and product as HTML, and the data that the
program would have to ask for. The program then takes over, and nothing moves.
"""
