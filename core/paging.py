"""Cursor pages for every list of the API."""

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """`?limit=` rows a page (50, at most 500); `?ordering=` must end on the key and use only non-null columns."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 500
    ordering = ("pk",)
