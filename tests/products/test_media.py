from errno import EACCES, ELOOP, ENOENT

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
     "/media/..%2f..%2fmanage.py", "/media//etc/passwd", "/media/products/%2e%2e/%2e%2e/x",
     f"/media/products/{'a' * 255}", f"/media/products/{'a' * 256}", f"/media/{'a' * 256}/b",
     f"/media/products/{'a' * 4000}.webp", f"/static/{'a' * 256}", f"/static/{'a/' * 2000}b"],
)  # fmt: skip
def test_other_files_are_not_served_and_directories_are_not_listed(client, picture, path):
    response = client.get(path)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert "immutable" not in response.headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "name", ["media.tar", "products/notes.txt", "products/.hidden.webp", "products/k.webp.bak"]
)
def test_only_pictures_are_served(client, picture, tmp_path, name):
    (tmp_path / name).write_text("PRIVATE")

    assert client.get(f"/media/{name}").status_code == 404


@pytest.mark.parametrize(("errno", "status"), [(ENOENT, 404), (ELOOP, 404), (EACCES, 500)])
def test_a_file_that_cannot_be_opened_is_a_404_if_there_is_none(
    client, picture, monkeypatch, errno, status
):
    def fail(*args, **kwargs):
        raise OSError(errno, "not opened")

    client.raise_request_exception = False
    monkeypatch.setattr("pathlib.Path.open", fail)

    assert client.get(picture).status_code == status


def test_nothing_can_be_written_there(client, picture):
    assert client.put(picture, b"x").status_code == 405
    assert client.delete(picture).status_code == 405
