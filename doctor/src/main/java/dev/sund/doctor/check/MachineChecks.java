package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the machine under the node gives and takes: processor time, memory, its clock. */
public final class MachineChecks {
  private static final String STAT = "proc/stat";
  private static final String PRESSURE = "proc/pressure/cpu";
  private static final String CLOCK = "sys/devices/system/clocksource/clocksource0/";

  private MachineChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "cpu-steal",
            "processor time that the hypervisor gave to others",
            List.of(STAT),
            MachineChecks::times,
            MachineChecks::stolen),
        new Check<>(
            "cpu-pressure",
            "whether work waits for a processor",
            host -> host.textIfThere(PRESSURE),
            MachineChecks::waits),
        new Check<>(
            "clock-source",
            "how dear it is to ask the time",
            MachineChecks::clock,
            MachineChecks::slow),
        new Check<>(
            "virtualisation",
            "whether the kernel is this machine's own",
            MachineChecks::container,
            MachineChecks::shared));
  }

  /**
   * Processor time in the window, in ticks.
   *
   * @param all of all kinds
   * @param steal what others had
   */
  record Times(long all, long steal, double seconds) {}

  private static Times times(Host host) throws UnreadException {
    long[] before = ticks(host.before(STAT));
    long[] now = ticks(host.text(STAT));
    return new Times(now[0] - before[0], now[1] - before[1], host.seconds());
  }

  private static long[] ticks(String text) throws UnreadException {
    String[] words = text.lines().findFirst().orElse("").strip().split("\\s+");
    if (words.length < 9 || !words[0].equals("cpu")) {
      throw new UnreadException("/" + STAT + " does not begin with cpu", "Is /proc mounted?");
    }
    long all = 0;
    for (int i = 1; i <= 8; i++) { // guest time, behind, is in user time already
      all += Long.parseLong(words[i]);
    }
    return new long[] {all, Long.parseLong(words[8])};
  }

  private static Verdict stolen(Times times) {
    double percent = times.all <= 0 ? 0 : 100.0 * times.steal / times.all;
    String read = "%.1f %% in %.1f s".formatted(percent, times.seconds);
    if (percent < 5) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                percent >= 20 ? Severity.ERROR : Severity.WARNING,
                "cpu steal",
                "The hypervisor gave this machine's processor time to others: " + read + ".",
                "While it waits, no packet is received: queues overflow, tunnels lose packets, and"
                    + " latency jumps by milliseconds at a time.",
                "Ask the provider for dedicated processors, or move the node; tuning does not help")));
  }

  private static Verdict waits(Optional<String> pressure) {
    if (pressure.isEmpty()) {
      return new Verdict.NotHere("this kernel does not tell pressure (CONFIG_PSI, psi=1)");
    }
    double average = 0;
    for (String word : pressure.get().lines().findFirst().orElse("").split("\\s+")) {
      if (word.matches("avg60=[0-9.]+")) {
        average = Double.parseDouble(word.substring("avg60=".length()));
      }
    }
    String read = "work waited in %.1f %% of the last minute".formatted(average);
    if (average < 40) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "cpu pressure",
                "There is more work than processors: " + read + ".",
                "Packets are received by the same processors: what waits adds to every round trip.",
                "Give pods CPU limits or requests, or the node more processors")));
  }

  private static List<String> clock(Host host) throws UnreadException {
    return List.of(
        host.text(CLOCK + "current_clocksource"), host.text(CLOCK + "available_clocksource"));
  }

  private static Verdict slow(List<String> clock) {
    String current = clock.getFirst();
    if (!List.of("hpet", "acpi_pm", "jiffies").contains(current)) {
      return new Verdict.Right(current);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "clock source",
                "The kernel asks the time of " + current + "; there are " + clock.getLast() + ".",
                "Each packet's time stamp costs a microsecond instead of 20 nanoseconds.",
                List.of(clock.getLast().split("\\s+")).contains("tsc")
                    ? "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"
                    : "Ask the provider for a hypervisor with a stable TSC or kvm-clock")));
  }

  /** The kind of container that this node is, or nothing. */
  private static Optional<String> container(Host host) throws UnreadException {
    if (host.has("proc/vz") && !host.has("proc/bc")) {
      return Optional.of("OpenVZ");
    }
    List<String> found = new ArrayList<>();
    host.textIfThere("run/systemd/container").ifPresent(found::add);
    host.textIfThere("proc/1/environ")
        .ifPresent(text -> {
          for (String word : text.split("\0")) {
            if (word.startsWith("container=")) {
              found.add(word.substring("container=".length()));
            }
          }
        });
    return found.stream().findFirst();
  }

  private static Verdict shared(Optional<String> container) {
    if (container.isEmpty()) {
      return new Verdict.Right("a kernel of its own");
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "virtualisation",
                "This node is a container (" + container.get() + "): its kernel is its host's.",
                "It can load no modules and set few sysctls: IPVS, tunnels and the size of the"
                    + " table of connections are the provider's to give.",
                "Use a virtual machine (KVM), or ask for the modules and sysctls that are wanted")));
  }
}
