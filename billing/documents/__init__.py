"""An issued invoice as documents: e-invoice (UBL) and PDF, made once from the frozen rows, kept, handed out, mailed."""
