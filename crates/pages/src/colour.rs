//! The one colour of buttons and links, and what follows from it: it is made darker or lighter until text in it, and on
//! it, has the contrast that WCAG 2.2 asks for (4.5 : 1), on light and on dark.

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

/// Ours.
pub(crate) const OURS: Colour = Colour([0x2f, 0x5d, 0xa8]);

const WHITE: Colour = Colour([255; 3]);
const BLACK: Colour = Colour([0; 3]);
/// The grounds that text in the colour stands on, as `page.css` has them: the one with less contrast of each scheme.
const LIGHT_GROUND: Colour = Colour([0xf4, 0xf5, 0xf7]);
const DARK_GROUND: Colour = Colour([0x22, 0x25, 0x2b]);
/// What text needs (WCAG 2.2, 1.4.3), and a little for rounding.
const ENOUGH: f64 = 4.6;

impl Colour {
    /// `#rrggbb`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// What the style sheet begins with: the accent of both schemes, and what stands on it.
    pub(crate) fn variables(self) -> String {
        let (light, dark) = (self.on(LIGHT_GROUND, BLACK), self.on(DARK_GROUND, WHITE));
        format!(
            ":root{{--accent:{};--on-accent:{}}}@media(prefers-color-scheme:dark){{:root{{--accent:{};--on-accent:{}}}}}",
            light.text(),
            light.ink().text(),
            dark.text(),
            dark.ink().text()
        )
    }

    /// The nearest on the way to `end` that is legible on `ground`.
    fn on(self, ground: Self, end: Self) -> Self {
        (0..=100).map(|step| self.toward(end, step)).find(|mixed| mixed.contrast(ground) >= ENOUGH).unwrap_or(end)
    }

    fn toward(self, end: Self, percent: u32) -> Self {
        let mut mixed = self.0;
        for (from, to) in mixed.iter_mut().zip(end.0) {
            let sum = u32::from(*from) * (100 - percent) + u32::from(to) * percent;
            *from = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// Black or white, whichever is more legible on it.
    fn ink(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2.2, relative luminance.
    fn luminance(self) -> f64 {
        let linear = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        let [red, green, blue] = linear;
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn text(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_colour_an_operator_takes_texts_are_legible() {
        for value in 0..512_u32 {
            let part = |shift: u32| u8::try_from((value >> shift & 7) * 36).unwrap_or(255);
            let colour = Colour([part(0), part(3), part(6)]);
            for (ground, end) in [(LIGHT_GROUND, BLACK), (DARK_GROUND, WHITE)] {
                let used = colour.on(ground, end);
                assert!(used.contrast(ground) >= 4.5, "{colour:?} on {ground:?}");
                assert!(used.ink().contrast(used) >= 4.5, "ink on {used:?}");
            }
        }
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        assert_eq!(Colour::parse("#2f5da8"), Some(OURS));
        for text in ["", "#", "2f5da8", "#2f5da", "#2f5da8f", "red", "#gggggg", "#+1+1+1", "#1}2{3;"] {
            assert!(Colour::parse(text).is_none(), "{text}");
        }
    }
}
