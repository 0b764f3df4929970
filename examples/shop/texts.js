// What the page says itself. Titles of shelves and reasons come from the server, in the same language.
"use strict";

const texts = {
  en: {
    brand: "The demo shop",
    consent: "personal suggestions",
    cart: (n) => `Cart (${n})`,
    language: "فارسی",
    add: "Add to cart",
    added: "In your cart",
    remove: "Remove",
    order: "Order",
    ordered: "Thank you for your order",
    empty: "Your cart is empty.",
    total: (sum) => `Total ${sum}`,
    back: "To the shop",
    footer: "A demo of Vitrine: every shelf is asked for anew after every click.",
    failed: (why) => `The shop cannot be reached: ${why}`,
    noPrice: "no price",
  },
  fa: {
    brand: "فروشگاه نمونه",
    consent: "پیشنهادهای شخصی",
    cart: (n) => `سبد خرید (${n})`,
    language: "English",
    add: "افزودن به سبد",
    added: "در سبد شماست",
    remove: "حذف",
    order: "ثبت سفارش",
    ordered: "از سفارش شما سپاسگزاریم",
    empty: "سبد شما خالی است.",
    total: (sum) => `جمع ${sum}`,
    back: "بازگشت به فروشگاه",
    footer: "نمونه‌ای از ویترین: هر قفسه پس از هر کلیک از نو پرسیده می‌شود.",
    failed: (why) => `فروشگاه در دسترس نیست: ${why}`,
    noPrice: "بدون قیمت",
  },
}[shop.language];
