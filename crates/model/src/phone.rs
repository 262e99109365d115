//! E-mail addresses: parsed once into one canonical form, which is what is stored, sent to and compared.
