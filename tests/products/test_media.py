import pytest

from omachemainproj.images import normalise_own


@pytest.fixture
def picture(listing, png, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return f"/media/{listing(picture=normalise_own(png)).image.name}"


def test_a_picture_is_served_as_what_it_is_and_may_be_kept(client, picture):
    response = client.get(picture)

    assert response.status_code == 200
    assert response["Content-Type"] == "image/webp"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    response.close()


@pytest.mark.parametrize(
    "path",
    ["/media/", "/media/products/", "/media/products/none.webp", "/media/../manage.py",
     "/media/..%2f..%2fmanage.py", "/media//etc/passwd", "/media/products/%2e%2e/%2e%2e/x"],
)  # fmt: skip
def test_other_files_are_not_served_and_directories_are_not_listed(client, picture, path):
    response = client.get(path)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert "immutable" not in response.headers.get("Cache-Control", "")


def test_nothing_can_be_written_there(client, picture):
    assert client.put(picture, b"x").status_code == 405
    assert client.delete(picture).status_code == 405
