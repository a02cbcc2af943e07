package dev.sund.doctor.live;

import dev.sund.doctor.LineText;
import dev.sund.doctor.WholeFile;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Family;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The network namespaces that a device pair joins with the node's: pods, and containers of other
 * programs. Found by the names of {@code ip netns} and Docker, and by the processes in them.
 */
final class PodFacts {
  private static final List<String> NAMES = List.of("run/netns", "run/docker/netns");
  private static final List<String> SYSCTLS =
      List.of("net/core/somaxconn", "net/ipv4/tcp_keepalive_time");

  private PodFacts() {}

  static String of(NetNs node, Path root) throws KernelException {
    LineText text = new LineText();
    try (RouteSocket socket = RouteSocket.open(node)) {
      for (Map.Entry<String, NetNs> entry : others(node, root).values()) {
        try (Fd file = entry.getValue().open()) {
          OptionalInt id = id(socket, file);
          if (id.isPresent()) {
            one(entry.getKey(), id.getAsInt(), entry.getValue(), text);
          }
        } catch (KernelException.NotFound _) {
          // It ended meanwhile.
        }
      }
    }
    return text.toString();
  }

  /**
   * A name may be left from before the node's last start, or be of another mount namespace: an
   * ordinary file then. Its namespace, if there is one, is found by its processes.
   */
  private static OptionalInt id(RouteSocket socket, Fd file) throws KernelException {
    try {
      return socket.namespaceId(file);
    } catch (KernelException.Refused _) {
      return OptionalInt.empty();
    }
  }

  /** By their inodes, with the name or the process by which each was found. */
  private static Map<Long, Map.Entry<String, NetNs>> others(NetNs node, Path root) {
    Map<Long, Map.Entry<String, NetNs>> found = new LinkedHashMap<>();
    OptionalLong own = node.inode();
    for (String folder : NAMES) {
      for (Path file : files(root.resolve(folder))) {
        add(found, own, String.valueOf(file.getFileName()), file);
      }
    }
    for (Path process : files(root.resolve("proc"))) {
      String number = String.valueOf(process.getFileName());
      if (Character.isDigit(number.charAt(0))) {
        add(found, own, "process-" + number, process.resolve("ns/net"));
      }
    }
    return found;
  }

  private static void add(
      Map<Long, Map.Entry<String, NetNs>> found, OptionalLong own, String name, Path file) {
    OptionalLong inode = NetNs.at(file).inode();
    if (inode.isPresent() && !inode.equals(own)) {
      found.putIfAbsent(inode.getAsLong(), Map.entry(name, NetNs.at(file)));
    }
  }

  private static List<Path> files(Path folder) {
    List<Path> files = new java.util.ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      stream.forEach(files::add);
    } catch (IOException _) {
      return List.of(); // not there, or not for this user: what it holds is found by processes
    }
    files.sort(null);
    return files;
  }

  private static void one(String name, int id, NetNs namespace, LineText text)
      throws KernelException {
    try (RouteSocket socket = RouteSocket.open(namespace, Buffers.SMALL)) {
      Map<Integer, String> names = new HashMap<>();
      List<Link> links = socket.links();
      links.forEach(link -> names.put(link.index(), link.name()));
      Map<Integer, List<String>> addresses = DeviceFacts.addresses(socket);
      for (Link link : links) {
        if (link.isLoopback()) {
          continue;
        }
        text.word("pod", name)
            .word("id", id)
            .word("device", link.name())
            .word("kind", link.kind())
            .word("mtu", link.mtu())
            .flag("up", link.isUp())
            .flag("carrier", link.hasCarrier())
            .word("index", link.index())
            .word("peer", link.lower())
            .list("addresses", addresses.getOrDefault(link.index(), List.of()))
            .end();
      }
      for (Family family : Family.values()) {
        for (RouteEntry route : socket.routes(RouteFilter.main(family))) {
          if (route.destination().length() == 0) {
            text.word("pod", name)
                .word("id", id)
                .word("default", family == Family.V4 ? "ipv4" : "ipv6")
                .word("device", names.getOrDefault(route.device(), ""))
                .flag("dead", (route.flags() & (RouteEntry.DEAD | RouteEntry.LINK_DOWN)) != 0);
            if (route.gateway().isPresent()) {
              text.word("gateway", route.gateway().get());
              for (Neighbour one : socket.neighbours(route.gateway().get().family(), 0)) {
                if (one.ip().equals(route.gateway().get())) {
                  text.word("neighbour", one.state());
                }
              }
            }
            text.end();
          }
        }
      }
    }
    sysctls(name, id, namespace, text);
  }

  private static void sysctls(String name, int id, NetNs namespace, LineText text)
      throws KernelException {
    Map<String, String> values =
        namespace.call(() -> {
          Map<String, String> read = new LinkedHashMap<>();
          for (String key : SYSCTLS) {
            try {
              read.put(key.replace('/', '.'), WholeFile.text(Path.of("/proc/sys", key)).strip());
            } catch (IOException _) {
              read.remove(key); // this kernel has it in the first namespace only
            }
          }
          return read;
        });
    values.forEach((key, value) ->
        text.word("pod", name).word("id", id).word("sysctl", key).word("value", value).end());
  }
}
