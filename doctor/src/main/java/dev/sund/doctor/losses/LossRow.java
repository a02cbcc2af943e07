package dev.sund.doctor.losses;

/**
 * A counter over a window.
 *
 * @param name its name: as the kernel has it, with the device before it where it is one's
 * @param weight what its growth means
 * @param means what it counts, in a few words
 * @param total since it began
 * @param grew in the window; 0 when it began anew
 * @param seconds the window's length, above 0
 */
public record LossRow(
    String name, LossWeight weight, String means, long total, long grew, double seconds) {
  /** How fast it grows. */
  public double perSecond() {
    return grew / seconds;
  }
}
