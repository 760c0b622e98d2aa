from django.urls import path, re_path

from . import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("product/search/", views.SearchView.as_view(), name="product-search"),
    # 18 digits fit the column; a longer number is no category either, and so a 404.
    re_path(r"^product/(?P<product_id>[0-9]{1,18})/$", views.ProductView.as_view(), name="product"),
    path("product/<str:category>/", views.CategoryView.as_view(), name="product-category"),
    path("create/", views.CreateView.as_view(), name="product-create"),
    path("cart/", views.CartView.as_view(), name="cart"),
]
