//! Numbered schema steps.
