package dev.sund.it.arch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Fd;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each size, offset and constant of the module {@code kernel} is what a C program says that was
 * compiled for the same machine: for amd64, and for arm64, where the program runs under qemu-user
 * and the JVM is told that it is on such a machine.
 */
@Tag("interop")
@Timeout(120)
class KernelConstantsTest {
  private static final List<String> HEADERS =
      List.of(
          "stddef.h",
          "stdio.h",
          "fcntl.h",
          "poll.h",
          "sched.h",
          "sys/epoll.h",
          "sys/eventfd.h",
          "sys/file.h",
          "sys/mman.h",
          "sys/mount.h",
          "sys/socket.h",
          "netinet/in.h",
          "netinet/tcp.h",
          "net/if.h",
          "netinet/udp.h",
          "linux/ethtool.h",
          "linux/sockios.h",
          "linux/fib_rules.h",
          "linux/gen_stats.h",
          "linux/filter.h",
          "linux/genetlink.h",
          "linux/if_addr.h",
          "linux/if_bridge.h",
          "linux/if_ether.h",
          "linux/if_link.h",
          "linux/if_packet.h",
          "linux/if_tunnel.h",
          "linux/ip_vs.h",
          "linux/neighbour.h",
          "linux/net_namespace.h",
          "linux/netfilter_ipv4.h",
          "linux/netfilter_ipv4/ip_tables.h",
          "linux/netfilter_ipv6/ip6_tables.h",
          "linux/netfilter/xt_comment.h",
          "linux/netfilter/nf_nat.h",
          "linux/netfilter/nf_tables.h",
          "linux/netfilter/nf_conntrack_common.h",
          "linux/netfilter/nfnetlink.h",
          "linux/netfilter/nfnetlink_conntrack.h",
          "linux/netfilter/nfnetlink_log.h",
          "linux/netlink.h",
          "linux/pkt_cls.h",
          "linux/pkt_sched.h",
          "linux/rtnetlink.h",
          "linux/tc_act/tc_mirred.h",
          "linux/veth.h");

  @TempDir private Path folder;

  @Test
  void amd64() throws Exception {
    same("amd64", "gcc", List.of());
  }

  @Test
  void arm64() throws Exception {
    same("aarch64", "aarch64-linux-gnu-gcc", List.of("qemu-aarch64-static"));
  }

  @Test
  void thePluginRunsOnArm64() throws Exception {
    Path plugin = folder.resolve("sund-cni");
    String script = Path.of(System.getProperty("sund.root"), "cni", "build.sh").toString();
    run(List.of("env", "CC=aarch64-linux-gnu-gcc", script, plugin.toString()));

    Process process =
        new ProcessBuilder(
                "env", "-i", "CNI_COMMAND=VERSION", "qemu-aarch64-static", plugin.toString())
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().write("{\"cniVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().close();
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).isZero();
    assertThat(answer).contains("\"cniVersion\":\"1.0.0\"").contains("supportedVersions");
  }

  private void same(String machine, String compiler, List<String> runner) throws Exception {
    Map<String, Long> ours = ours(machine);
    Map<String, String> expressions = new LinkedHashMap<>();
    Names names = Names.read();
    ours.keySet()
        .forEach(name -> names.expression(name).ifPresent(text -> expressions.put(name, text)));

    assertThat(names.unused(ours.keySet())).as("names of constants that are no more").isEmpty();
    assertThat(expressions).hasSizeGreaterThan(300);
    Map<String, Long> theirs = theirs(expressions, compiler, runner);
    ours.keySet().retainAll(expressions.keySet());
    assertThat(ours).isEqualTo(theirs);
  }

  /** The module's constants as a JVM has them that believes to be on this machine. */
  private static Map<String, Long> ours(String machine) throws Exception {
    Path classes = Path.of(Fd.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return values(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-Dos.arch=" + machine,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            KernelConstants.class.getName(),
            classes.toString()));
  }

  /** The same as the C compiler has them. */
  private Map<String, Long> theirs(
      Map<String, String> expressions, String compiler, List<String> runner) throws Exception {
    StringBuilder text = new StringBuilder("#define _GNU_SOURCE\n");
    HEADERS.forEach(header -> text.append("#include <").append(header).append(">\n"));
    text.append("int main(void) {\n");
    expressions.forEach((name, expression) ->
        text.append("  printf(\"%s %%lld\\n\", (long long)(%s));\n".formatted(name, expression)));
    text.append("}\n");
    Path source = Files.writeString(folder.resolve("names.c"), text);
    Path program = folder.resolve("names");
    run(List.of(compiler, "-static", "-o", program.toString(), source.toString()));
    List<String> command = new ArrayList<>(runner);
    command.add(program.toString());
    return values(command);
  }

  private static Map<String, Long> values(List<String> command) throws Exception {
    Map<String, Long> values = new TreeMap<>();
    for (String line : run(command).lines().toList()) {
      String[] words = line.split(" ");
      values.put(words[0], Long.parseLong(words[1]));
    }
    return values;
  }

  private static String run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", command.getFirst(), text).isZero();
    return text;
  }

  /** How the kernel names our constants. */
  private record Names(Map<String, String> rules) {
    static Names read() throws IOException {
      Map<String, String> rules = new LinkedHashMap<>();
      try (InputStream in = KernelConstantsTest.class.getResourceAsStream("kernel-names.txt")) {
        for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
          if (!line.isBlank() && !line.startsWith("#")) {
            String[] parts = line.split(" {2,}", 2);
            rules.put(parts[0], parts[1]);
          }
        }
      }
      return new Names(rules);
    }

    /** The C expression of a constant; none for a choice of our own. */
    Optional<String> expression(String name) {
      String exact = rules.get(name);
      if (exact != null) {
        return exact.equals("-") ? Optional.empty() : Optional.of(exact);
      }
      for (Map.Entry<String, String> rule : rules.entrySet()) {
        if (matches(rule.getKey(), name)) {
          return rule.getValue().equals("-")
              ? Optional.empty()
              : Optional.of(
                  rule.getValue().replace("*", name.substring(rule.getKey().length() - 1)));
        }
      }
      return Optional.of(name.substring(name.lastIndexOf('.') + 1));
    }

    List<String> unused(java.util.Set<String> names) {
      return rules.keySet().stream()
          .filter(rule -> names.stream().noneMatch(name -> matches(rule, name)))
          .toList();
    }

    private static boolean matches(String rule, String name) {
      return rule.endsWith("*")
          ? name.startsWith(rule.substring(0, rule.length() - 1))
          : rule.equals(name);
    }
  }
}
