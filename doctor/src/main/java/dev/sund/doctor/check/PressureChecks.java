package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether work waits: for a processor, for memory, for a disk. kernel:
 * Documentation/accounting/psi.rst.
 */
public final class PressureChecks {
  private static final String FOLDER = "proc/pressure/";

  /** A shorter window says less than the kernel's average of the last minute. */
  private static final double LONG_SECONDS = 10;

  private static final Pattern SOME =
      Pattern.compile("(?m)^some .*avg60=([0-9.]{1,9}) .*total=(\\d{1,18})$");

  private PressureChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        check(
            "cpu",
            "whether work waits for a processor",
            40,
            "There is more work than processors: ",
            "Packets are received by the same processors: what waits adds to every round trip.",
            "Give pods CPU limits or requests, or the node more processors"),
        check(
            "memory",
            "whether work waits for memory",
            10,
            "Programs wait for memory that is taken from others first: ",
            "The kernel looks for pages in the middle of receiving and answering: latency jumps, and"
                + " then it ends processes.",
            "Find who takes it (kubectl top pod -A), give pods memory limits, or the node more"),
        check(
            "io",
            "whether work waits for a disk",
            40,
            "Programs wait for a disk: ",
            "etcd answers when its log is on the disk: the API server waits with it, and endpoints"
                + " and rules come late to every node.",
            "sund doctor --fsync measures the disk; iostat -x 1 says which one, and pidstat -d 1"
                + " who writes"));
  }

  /**
   * Pressure.
   *
   * @param average share of the last minute in which something waited, in percent
   * @param window the same of the window
   * @param seconds of the window
   */
  record Pressure(double average, double window, double seconds) {
    /** What is judged. */
    double share() {
      return seconds >= LONG_SECONDS ? window : average;
    }
  }

  private static Check<Optional<Pressure>> check(
      String of, String title, double limit, String found, String why, String remedy) {
    String file = FOLDER + of;
    return new Check<>(
        of + "-pressure",
        title,
        List.of(file),
        host -> read(host, file),
        pressure -> judge(pressure, of, limit, found, why, remedy));
  }

  private static Optional<Pressure> read(Host host, String file) throws UnreadException {
    Optional<String> text = host.textIfThere(file);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Matcher now = some(file, text.get());
    Matcher before = some(file, host.before(file));
    double micros = Math.max(0, Long.parseLong(now.group(2)) - Long.parseLong(before.group(2)));
    double seconds = Math.max(host.seconds(), 0.1);
    return Optional.of(
        new Pressure(Double.parseDouble(now.group(1)), micros / seconds / 10_000, host.seconds()));
  }

  private static Matcher some(String file, String text) throws UnreadException {
    Matcher some = SOME.matcher(text);
    if (!some.find()) {
      throw new UnreadException(
          "/" + file + " has no line of what waits in part ('some')",
          "Report it with the kernel's version.");
    }
    return some;
  }

  private static Verdict judge(
      Optional<Pressure> found, String of, double limit, String text, String why, String remedy) {
    if (found.isEmpty()) {
      return new Verdict.NotHere("this kernel does not tell pressure (CONFIG_PSI, psi=1)");
    }
    Pressure is = found.get();
    String read =
        "work waited in %.1f %% of the last minute, %.1f %% of %.1f s"
            .formatted(is.average, is.window, is.seconds);
    if (is.share() < limit) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(new Finding(Severity.WARNING, of + " pressure", text + read + ".", why, remedy)));
  }
}
