package dev.sund.doctor.losses;

/** What it means when a counter grows; the worst first. */
public enum LossWeight {
  /** Packets or connections are lost here. */
  LOSS,
  /** Something is nearly full, late, or done again. */
  STRAIN,
  /** Worth knowing; mostly no fault. */
  NOTE
}
