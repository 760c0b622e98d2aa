from django.urls import path, re_path

from . import seller_views, sheet_views, views

# 18 digits fit the column; a longer number is no category either, and so a 404.
_ID = r"(?P<product_id>[0-9]{1,18})"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("product/search/", views.SearchView.as_view(), name="product-search"),
    re_path(rf"^product/{_ID}/$", seller_views.OwnProductView.as_view(), name="product"),
    re_path(rf"^product/{_ID}/restock/$", seller_views.RestockView.as_view(), name="restock"),
    path("product/<str:category>/", views.CategoryView.as_view(), name="product-category"),
    path("create/", views.CreateView.as_view(), name="product-create"),
    path("seller/products/", seller_views.SellerProductsView.as_view(), name="seller-products"),
    path("seller/products/export/", sheet_views.ExportView.as_view(), name="seller-export"),
    path("seller/products/import/", sheet_views.ImportView.as_view(), name="seller-import"),
    path("cart/", views.CartView.as_view(), name="cart"),
]
