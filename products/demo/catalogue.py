"""The products of the demo shop: realistic goods at Nairobi prices (KES).

Each line has an icon (products.demo.pictures), name, price, stock and description. Sellers take
turns, so that each of them has something in most categories.
"""

from __future__ import annotations

from typing import NamedTuple


class Goods(NamedTuple):
    """One product of the demo shop. ``price`` is whole KES."""

    icon: str
    name: str
    price: int
    item_number: int
    description: str


# fmt: off
CATALOGUE: dict[str, list[Goods]] = {
    "electronics": [
        Goods("tv", "Hisense 43-inch Full HD smart TV", 27_999, 9,
              "Netflix and YouTube built in, two HDMI ports, wall bracket in the box."),
        Goods("tv", "Vitron 32-inch digital TV", 11_499, 22,
              "Free-to-air decoder inside: no monthly fee for the local channels."),
        Goods("speaker", "Vitron 3.1 subwoofer with Bluetooth", 6_800, 14,
              "10,000 W PMPO, FM radio, USB and a remote. Loud enough for the whole plot."),
        Goods("radio", "Sony rechargeable FM and AM radio", 2_450, 30,
              "Runs three days on a charge; takes D cells where there is no power."),
        Goods("bulb", "Sun King solar lantern with phone charger", 3_299, 40,
              "Six hours of light after a day in the sun. Two-year warranty."),
        Goods("fan", "Ramtons 16-inch stand fan", 3_195, 18,
              "Three speeds, quiet motor, for nights in Mombasa and afternoons in Kisumu."),
        Goods("iron", "Philips steam iron 2000 W", 4_350, 16,
              "Non-stick sole plate, self-cleaning, two-metre cable."),
        Goods("plug", "Six-way extension with surge guard", 950, 75,
              "Fused plug and three metres of cable. Saves the TV when power comes back hard."),
    ],
    "furniture": [
        Goods("sofa", "Three-seater sofa in grey fabric", 38_500, 4,
              "Hardwood frame made in Gikomba, high-density cushions, delivered in Nairobi."),
        Goods("table", "Mahogany coffee table", 9_800, 7,
              "Solid mahogany from Nyeri with a shelf below, oiled by hand."),
        Goods("bed", "5 by 6 bed with drawers", 31_000, 5,
              "Cypress frame, two drawers on wheels. The mattress is not included."),
        Goods("bed", "High-density mattress 5 by 6, 8 inches", 14_200, 12,
              "Quilted cover, ten-year guarantee against sagging."),
        Goods("wardrobe", "Three-door wardrobe with mirror", 26_500, 3,
              "Hanging space, six shelves and a full-length mirror. Comes in parts."),
        Goods("chair", "Ergonomic office chair", 8_900, 15,
              "Mesh back, adjustable arms and height, wheels for tiles and carpet."),
        Goods("shelf", "Five-tier bookshelf", 5_600, 11,
              "Holds 25 kg a tier. Screws to the wall so that children may climb it in vain."),
        Goods("table", "Plastic garden table with four chairs", 7_450, 0,
              "Stackable, washable, made in Athi River. More coming from the factory soon."),
    ],
    "fashions": [
        Goods("dress", "Ankara maxi dress", 2_800, 20,
              "Cotton wax print, side pockets, sizes 10 to 18. Sewn in Toi market."),
        Goods("dress", "Kitenge wrap skirt", 1_500, 26,
              "One size ties to fit. No two are cut from the same place in the cloth."),
        Goods("shirt", "Linen shirt for men", 1_950, 34,
              "Short sleeves, wooden buttons, sizes S to XXL."),
        Goods("shirt", "School sweater, navy", 1_200, 60,
              "Machine-washable acrylic in sizes 24 to 36. Name tape inside."),
        Goods("shoe", "Leather office shoes by Bata", 3_999, 17,
              "Full-grain leather, rubber sole, sizes 39 to 45."),
        Goods("shoe", "Maasai tyre sandals", 650, 48,
              "Akala cut from truck tyres with leather straps. They outlive their owner."),
        Goods("bag", "Sisal kiondo basket bag", 2_200, 19,
              "Woven in Machakos, leather handles, lined with cotton."),
        Goods("watch", "Stainless steel watch", 4_500, 10,
              "Quartz, water-resistant to 30 m, spare links in the box."),
    ],
    "computing": [
        Goods("laptop", "HP EliteBook 840 G5, refurbished", 32_500, 8,
              "Core i5, 8 GB, 256 GB SSD, new battery, six months' warranty."),
        Goods("laptop", "Lenovo IdeaPad Slim 3", 58_900, 6,
              "Ryzen 5, 16 GB, 512 GB SSD, 15.6 inches, backlit keyboard."),
        Goods("monitor", "Dell 24-inch monitor", 14_500, 9,
              "Full HD IPS, HDMI and VGA, height-adjustable."),
        Goods("keyboard", "Logitech wireless keyboard and mouse", 3_250, 33,
              "One receiver for both, two years on one set of batteries."),
        Goods("printer", "Epson EcoTank L3250 printer", 27_800, 7,
              "Prints, scans and copies. Ink for 4,500 pages in the box."),
        Goods("router", "TP-Link 4G router with SIM slot", 7_300, 21,
              "Put in any Kenyan SIM and share it with 32 devices. Battery not needed."),
        Goods("drive", "Kingston 1 TB external SSD", 10_900, 13,
              "1,050 MB a second, USB-C, fits in a shirt pocket."),
        Goods("drive", "SanDisk flash disk 64 GB", 850, 120,
              "USB 3.0. Genuine, with a scratch-off code to check it."),
    ],
    "gaming": [
        Goods("console", "PlayStation 5 Slim with disc drive", 74_999, 3,
              "One controller, HDMI cable, UK plug. Region-free games."),
        Goods("console", "Xbox Series S 512 GB", 44_500, 5,
              "All-digital console with one wireless controller."),
        Goods("pad", "DualSense wireless controller", 9_200, 18,
              "Haptic feedback and adaptive triggers; works with PC over USB-C."),
        Goods("pad", "Wired USB gamepad, pack of two", 1_650, 27,
              "For PC and Android boxes. Long cables for a small sitting room."),
        Goods("headset", "HyperX Cloud Stinger headset", 6_400, 12,
              "Swivel-to-mute microphone, for PS5, Xbox, PC and phones."),
        Goods("chair", "Gaming chair with footrest", 17_800, 6,
              "Reclines to 155 degrees, lumbar cushion, carries 130 kg."),
        Goods("disc", "EA Sports FC 26 for PS5", 8_499, 24,
              "New and sealed, on disc. Gor and AFC sadly not included."),
        Goods("keyboard", "Redragon mechanical gaming keyboard", 5_300, 14,
              "Hot-swap switches, coloured light, braided cable."),
    ],
    "kitchen": [
        Goods("kettle", "Ramtons cordless kettle 1.7 L", 1_850, 42,
              "Boils in four minutes and switches itself off. Stainless steel."),
        Goods("blender", "Von blender with grinder 1.5 L", 3_450, 25,
              "Glass jar, ice-crushing blade, and a mill for spices and njugu."),
        Goods("pot", "Sufuria set of five with lids", 2_600, 36,
              "Heavy-gauge aluminium, 1 to 6 litres, one inside another."),
        Goods("fridge", "Bruhm double-door fridge 138 L", 26_800, 4,
              "Low voltage start, lock and key, uses less than a bulb a day."),
        Goods("oven", "Mika microwave 20 L", 8_750, 10,
              "Six power levels, 30-minute timer, easy to clean."),
        Goods("jiko", "Energy-saving charcoal jiko", 1_100, 55,
              "Clay-lined, burns half the charcoal. Made in Kisumu by women's groups."),
        Goods("thermos", "Chai flask 2 L, unbreakable", 1_250, 38,
              "Keeps tea hot from breakfast to four o'clock. Steel inside and out."),
        Goods("plates", "Melamine dinner set, 24 pieces", 2_950, 15,
              "Plates, bowls and cups for six. Survives children and weddings."),
    ],
    "phones": [
        Goods("phone", "Samsung Galaxy A15 128 GB", 21_999, 16,
              "6 GB of memory, 50 MP camera, two SIMs. Sealed, with warranty."),
        Goods("phone", "Tecno Spark 20 256 GB", 18_499, 19,
              "8 GB of memory, 5000 mAh, fast charger in the box."),
        Goods("phone", "Apple iPhone 13 128 GB, ex-UK", 52_000, 4,
              "Battery health 88 % or better, unlocked, cable included."),
        Goods("phone", "Nokia 105 with torch", 2_199, 80,
              "Two SIMs, FM radio and a battery that lasts a week."),
        Goods("tablet", "Samsung Galaxy Tab A9", 19_800, 8,
              "8.7 inches, 64 GB, Wi-Fi and 4G. Good for homework."),
        Goods("charger", "Oraimo 18 W fast charger with cable", 1_350, 90,
              "USB-C, protects the phone when power is uneven."),
        Goods("earphones", "Oraimo FreePods 4 earbuds", 3_499, 31,
              "35 hours with the case, noise cancelling, dust and splash proof."),
        Goods("powerbank", "Oraimo power bank 20,000 mAh", 2_899, 44,
              "Charges a phone four times. Two outputs and a torch."),
    ],
    "sports": [
        Goods("ball", "Adidas match football, size 5", 2_499, 29,
              "Thermally bonded, keeps its shape on murram."),
        Goods("ball", "Mikasa volleyball", 3_150, 13,
              "Soft touch, official size. The Malkia Strikers' favourite."),
        Goods("shoe", "Nike running shoes", 8_900, 11,
              "For tarmac and for the track at Nyayo. Sizes 38 to 45."),
        Goods("dumbbell", "Adjustable dumbbells, 20 kg pair", 6_700, 9,
              "Cast-iron plates, screw collars, in a case."),
        Goods("bicycle", "Mountain bike, 26 inches, 21 gears", 16_500, 5,
              "Shimano gears, disc brakes, assembled and tested before it leaves."),
        Goods("racket", "Badminton set for four", 2_350, 17,
              "Four rackets, a net, six shuttlecocks and a bag."),
        Goods("shirt", "Harambee Stars jersey", 1_800, 37,
              "Breathable polyester, sizes S to XXL. Printing of names on request."),
        Goods("mat", "Yoga mat 10 mm with strap", 1_450, 0,
              "Non-slip on both sides, rolls up small. Back in stock next week."),
    ],
}
# fmt: on
