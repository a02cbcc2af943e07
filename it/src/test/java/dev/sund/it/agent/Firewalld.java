package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The firewalld of Debian, unpacked and not installed, in one network namespace, with a message bus
 * and settings of its own. It trusts the addresses of a scene's pods and nodes.
 */
final class Firewalld implements AutoCloseable {
  private static final Path UNPACKED =
      Path.of(System.getProperty("sund.root", "."), ".sund/firewalld");

  private final NetNs node;
  private final Path folder;
  private final List<Process> started = new ArrayList<>();

  private Firewalld(NetNs node, Path folder) {
    this.node = node;
    this.folder = folder;
  }

  /** Whether the test runner has brought it. */
  static boolean unpacked() {
    return Files.isDirectory(UNPACKED);
  }

  /** Starts it; it is not ready yet. */
  static Firewalld start(NetNs node, Path folder) throws Exception {
    Firewalld started = new Firewalld(node, folder);
    try {
      started.start();
      return started;
    } catch (Exception | AssertionError e) {
      started.close();
      throw e;
    }
  }

  private void start() throws Exception {
    Path configuration =
        Files.writeString(
            folder.resolve("bus.conf"),
            """
            <busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow user="*"/><allow own="*"/>
            <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
            """
                .formatted(bus()));
    started.add(
        run(
            UNPACKED.resolve("usr/bin/dbus-daemon").toString(),
            "--nofork",
            "--nopidfile",
            "--config-file=" + configuration));
    for (int tries = 0; !Files.exists(bus()); tries++) {
      assertThat(tries).as("the bus comes: %s", log()).isLessThan(3_000);
      Thread.sleep(20);
    }
    Path zones = Files.createDirectories(folder.resolve("settings/zones"));
    Files.writeString(
        zones.resolve("trusted.xml"),
        """
        <?xml version="1.0" encoding="utf-8"?>
        <zone target="ACCEPT"><short>Trusted</short>
          <source address="10.244.0.0/16"/><source address="fd00:10:244::/48"/>
          <source address="192.168.0.0/16"/><source address="fd00:192:168::/48"/>
        </zone>
        """);
    started.add(
        python(
            "usr/sbin/firewalld",
            "--nofork",
            "--nopid",
            "--default-config",
            UNPACKED.resolve("usr/lib/firewalld").toString(),
            "--system-config",
            folder.resolve("settings").toString(),
            "--log-target",
            "console"));
  }

  /** Runs {@code firewall-cmd}. Its exit code. */
  int command(String what) throws Exception {
    Process process = python("usr/bin/firewall-cmd", what);
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    return process.waitFor();
  }

  /** All that its programs have said. */
  String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  private Path bus() {
    return folder.resolve("bus");
  }

  /**
   * A program of Python's that sees what is unpacked and nothing that is installed ({@code -S}).
   */
  private Process python(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + node.path()));
    command.addAll(List.of("python3", "-S", UNPACKED.resolve(program).toString()));
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  private Process run(String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()));
    String libraries = libraries();
    builder
        .environment()
        .put("PYTHONPATH", UNPACKED.resolve("usr/lib/python3/dist-packages").toString());
    builder.environment().put("LD_LIBRARY_PATH", libraries);
    builder
        .environment()
        .put("GI_TYPELIB_PATH", libraries.replace(":", "/girepository-1.0:") + "/girepository-1.0");
    builder.environment().put("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=" + bus());
    return builder.start();
  }

  /** The folders of shared libraries, whose names depend on the machine. */
  private static String libraries() throws IOException {
    List<String> found = new ArrayList<>();
    for (String parent : List.of("usr/lib", "lib")) {
      Path folder = UNPACKED.resolve(parent);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> all = Files.list(folder)) {
          all.filter(path -> path.toString().endsWith("-linux-gnu"))
              .map(Path::toString)
              .forEach(found::add);
        }
      }
    }
    return String.join(":", found);
  }

  @Override
  public void close() throws Exception {
    for (Process process : started.reversed()) {
      process.descendants().forEach(ProcessHandle::destroy);
      process.destroy();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    }
  }
}
