"""Rows for tests, valid without arguments. A product includes its first stock movement."""

import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.contacts import record_paid_from
from accounts.models import Address
from products.models import ListingTerms, Product, StockMovement

PASSWORD = "a long enough secret"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        password = kwargs.pop("password", PASSWORD)
        return model_class.objects.create_user(*args, password=password, **kwargs)


class AddressFactory(factory.django.DjangoModelFactory):
    """An address, by default neither the default one nor a collection place."""

    class Meta:
        model = Address

    user = factory.SubFactory(UserFactory)
    recipient = "Wanjiku Kamau"
    phone = "254712345678"
    county = "nairobi"
    area = factory.Sequence(lambda n: f"Kilimani, house {n}")


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    seller = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"Kettle {n}")
    category = "kitchen"
    price = 1500
    item_number = 5
    payment_mpesa_number = "254722000000"

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        product = super()._create(model_class, *args, **kwargs)
        ListingTerms.of(product).save()
        if product.item_number:
            StockMovement.objects.create(
                product=product, quantity=product.item_number, reference="listed"
            )
        return product


def proven(user, *phones):
    """The person, with a confirmed e-mail and with payments from these phones."""
    if user.email:
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
    for phone in phones:
        record_paid_from(user.pk, phone, timezone.now())
    return user


def give_role(person, role):
    """The person, with a role that is not in the audit (see invariants.check_books)."""
    person.groups.add(Group.objects.get(name=role))
    return person
