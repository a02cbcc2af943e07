package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Result;
import dev.sund.doctor.Setting;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.live.LiveFacts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The machine that a test runs on, looked at by single checks: only in the guest. */
final class WholeMachine {
  private static final Path ROOT = Path.of("/");

  private WholeMachine() {}

  /** What happens between the doctor's two looks. */
  @FunctionalInterface
  interface Meanwhile {
    void happens() throws IOException;
  }

  /** The first thing that a check finds. */
  static Finding finding(String id, Meanwhile meanwhile) throws Exception {
    Result result = look(id, meanwhile);
    assertThat(result.findings()).as("%s", result.outcome()).isNotEmpty();
    return result.findings().getFirst();
  }

  /** What a check says of the machine, looked at for a second. */
  static Result look(String id, Meanwhile meanwhile) throws Exception {
    return look(id, LiveFacts.of(ROOT), meanwhile);
  }

  /** The same, of more facts than are told unasked. */
  static Result look(String id, Facts facts, Meanwhile meanwhile) throws Exception {
    Host host =
        new Host(
            ROOT,
            Duration.ofSeconds(1),
            _ -> {
              try {
                meanwhile.happens();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            facts);
    List<Check<?>> checks = List.of(Catalogue.named(id).orElseThrow());
    // A check that looks once does not wait either.
    if (checks.getFirst().sampled().isEmpty()) {
      meanwhile.happens();
    }
    return Examination.of(host, checks).results().getFirst();
  }

  /** Sends a packet from so many ports to so many addresses; nobody need hear it. */
  static void ask(String prefix, int first, int addresses, int ports) throws IOException {
    for (int port = 0; port < ports; port++) {
      try (DatagramSocket socket = new DatagramSocket()) {
        for (int i = first; i < first + addresses; i++) {
          byte[] bytes = {7};
          try {
            socket.send(
                new DatagramPacket(bytes, 1, InetAddress.getByName(prefix + i), 20_000 + port));
          } catch (IOException _) {
            // What is dropped at once for want of room is what this is about.
            continue;
          }
        }
      }
    }
  }

  /** Sets what a finding says should be set. */
  static void mend(Finding finding) throws IOException {
    assertThat(finding.settings()).isNotEmpty();
    for (Setting setting : finding.settings()) {
      Setting.Sysctl sysctl = (Setting.Sysctl) setting;
      write(sysctl.key(), sysctl.value());
    }
  }

  /** A key below {@code /proc/sys}. */
  static String read(String key) throws IOException {
    return WholeFile.text(Path.of("/proc/sys", key)).strip();
  }

  static void write(String key, String value) throws IOException {
    Files.writeString(Path.of("/proc/sys", key), value);
  }

  /** Runs a program, which must not fail. */
  static void run(String program, String arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments.split(" ")));
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("%s", command).isZero();
  }
}
