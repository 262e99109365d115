//! A list that grows while compiling, where there is no heap: the text of a statement, the kinds of its columns.

/// Up to `MOST` items; one more does not compile.
pub(crate) struct Gathered<T, const MOST: usize> {
    items: [T; MOST],
    length: usize,
}

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
impl<T: Copy, const MOST: usize> Gathered<T, MOST> {
    /// Nothing yet; `filling` stands where nothing is.
    pub(crate) const fn new(filling: T) -> Self {
        Self { items: [filling; MOST], length: 0 }
    }

    pub(crate) const fn push(&mut self, item: T) {
        self.items[self.length] = item;
        self.length += 1;
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    /// What was gathered, at its own size: `N` is [`Self::len`].
    pub(crate) const fn cut<const N: usize>(&self) -> [T; N] {
        let mut cut = [self.items[0]; N];
        let mut at = 0;
        while at < N {
            cut[at] = self.items[at];
            at += 1;
        }
        cut
    }

    /// What was gathered, for whoever has a heap.
    pub(crate) fn to_vec(&self) -> Vec<T> {
        self.items.iter().take(self.length).copied().collect()
    }
}

/// Text, long enough for the longest statement.
pub(crate) type Text = Gathered<u8, 2048>;

#[expect(clippy::indexing_slicing, reason = "while compiling, where being out of bounds is an error of the compiler")]
impl Text {
    pub(crate) const fn write(&mut self, text: &str) {
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() {
            self.push(bytes[at]);
            at += 1;
        }
    }

    pub(crate) const fn write_number(&mut self, number: usize) {
        if number >= 10 {
            self.write_number(number / 10);
        }
        self.push(b'0' + (number % 10) as u8);
    }
}

/// The text in bytes that [`Text::write`] wrote.
pub(crate) const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}
