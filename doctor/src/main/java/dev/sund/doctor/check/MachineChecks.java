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
  private static final String CLOCK = "sys/devices/system/clocksource/clocksource0/";

  /** From so much on time that others had is felt. */
  static final double STOLEN_PERCENT = 5;

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
            "clock-source",
            "how dear it is to ask the time",
            MachineChecks::clock,
            MachineChecks::slow),
        new Check<>(
            "virtualisation",
            "whether the kernel is this machine's own",
            MachineChecks::kind,
            MachineChecks::shared));
  }

  /**
   * Processor time in the window, in ticks.
   *
   * @param all of all kinds
   * @param steal what others had
   */
  record Times(long all, long steal, double seconds) {
    double percent() {
      return all <= 0 ? 0 : 100.0 * steal / all;
    }
  }

  static Times times(Host host) throws UnreadException {
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
    double percent = times.percent();
    String read = "%.1f %% in %.1f s".formatted(percent, times.seconds);
    if (percent < STOLEN_PERCENT) {
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

  /**
   * What the node is.
   *
   * @param container of which kind; empty when it is none
   * @param hypervisor on which it runs; empty on hardware
   */
  record Kind(Optional<String> container, Optional<String> hypervisor) {}

  private static Kind kind(Host host) throws UnreadException {
    return new Kind(container(host), Hypervisor.of(host));
  }

  private static Optional<String> container(Host host) throws UnreadException {
    if (host.has("proc/vz") && !host.has("proc/bc")) {
      return Optional.of("OpenVZ");
    }
    List<String> found = new ArrayList<>();
    host.textIfThere("run/systemd/container").ifPresent(found::add);
    if (found.isEmpty() && host.textIfThere("proc/2/comm").equals(Optional.of("kthreadd"))) {
      return Optional.empty(); // the kernel's own threads are shown to its first processes only
    }
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

  private static Verdict shared(Kind kind) {
    if (kind.container.isEmpty()) {
      return new Verdict.Right(
          "a kernel of its own, "
              + kind.hypervisor
                  .map(name -> "in a virtual machine on " + name)
                  .orElse("on hardware"));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "virtualisation",
                "This node is a container ("
                    + kind.container.get()
                    + "): its kernel is its host's.",
                "It can load no modules and set few sysctls: IPVS, tunnels and the size of the"
                    + " table of connections are the provider's to give.",
                "Use a virtual machine (KVM), or ask for the modules and sysctls that are wanted")));
  }
}
