from django.urls import include, path, re_path

from .catalogue import list_views
from .catalogue import views as catalogue_views
from .listings import picture_views, stock_views
from .listings import views as listing_views
from .reviews import views as review_views
from .shop import views as shop_views
from .spreadsheets import views as spreadsheet_views

# 18 digits fit the column. A longer number matches the category's pattern and gets a 404 there.
_ID = r"(?P<product_id>[0-9]{1,18})"

_PRODUCT = [
    path("suggest/", catalogue_views.SuggestView.as_view(), name="product-suggest"),
    path("search/", list_views.SearchView.as_view(), name="product-search"),
    re_path(rf"^{_ID}/$", listing_views.OwnProductView.as_view(), name="product"),
    path("<str:category>/", list_views.CategoryView.as_view(), name="product-category"),
    re_path(rf"^{_ID}/restock/$", listing_views.RestockView.as_view(), name="restock"),
    re_path(
        rf"^{_ID}/reviews/$", review_views.ProductReviewsView.as_view(), name="product-reviews"
    ),
    re_path(rf"^{_ID}/pictures/$", picture_views.PicturesView.as_view(), name="product-pictures"),
    re_path(
        rf"^{_ID}/pictures/(?P<picture_id>[0-9]{{1,18}})/$",
        picture_views.PictureView.as_view(),
        name="product-picture",
    ),
    re_path(rf"^{_ID}/stock/$", stock_views.StockView.as_view(), name="product-stock"),
]

# The most requested come first: Django tries the patterns in order.
urlpatterns = [
    path("", catalogue_views.HomeView.as_view(), name="home"),
    path("product/", include(_PRODUCT)),
    path("cart/", catalogue_views.CartView.as_view(), name="cart"),
    path("categories/", catalogue_views.CategoriesView.as_view(), name="categories"),
    path("shop/sw.js/", shop_views.worker, name="shop-worker"),
    path("shop/sitemap.xml/", shop_views.sitemap, name="sitemap"),
    re_path(r"^shop/sitemap-(?P<part>[0-9]{1,15})\.xml/$", shop_views.sitemap, name="sitemap-part"),
    re_path(r"^shop/(?P<path>.*)$", shop_views.shop, name="shop"),
    path("create/", listing_views.CreateView.as_view(), name="product-create"),
    path("seller/products/", listing_views.SellerProductsView.as_view(), name="seller-products"),
    path("seller/products/export/", spreadsheet_views.ExportView.as_view(), name="seller-export"),
    re_path(
        r"^seller/products/export/(?P<token>[A-Za-z0-9_:-]{1,200})/$",
        spreadsheet_views.DownloadView.as_view(),
        name="seller-download",
    ),
    path("seller/products/import/", spreadsheet_views.ImportView.as_view(), name="seller-import"),
    path("seller/reviews/", review_views.SellerReviewsView.as_view(), name="seller-reviews"),
    path("robots.txt/", shop_views.robots, name="robots"),
    re_path(
        r"^review/(?P<review_id>[0-9]{1,18})/answer/$",
        review_views.AnswerView.as_view(),
        name="review-answer",
    ),
]

#: These match any word, so they come after the other apps' addresses. (A seller called “orders” is
#: found at /seller/Orders/: case does not matter.) The characters are those of a user name.
ANY_WORD = [
    re_path(
        r"^seller/(?P<username>[A-Za-z0-9._+-]{1,150})/$",
        review_views.SellerView.as_view(),
        name="seller",
    ),
]
