package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Link;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Devices' names and numbers, remembered: programs speak of names, the kernel of numbers. */
final class Devices {
  private final KernelRoutes routes;
  private final Map<String, Integer> indexes = new HashMap<>();
  private final Map<Integer, String> names = new HashMap<>();

  Devices(KernelRoutes routes) {
    this.routes = routes;
  }

  /** These are all there are. */
  void replace(List<Link> links) {
    indexes.clear();
    names.clear();
    links.forEach(this::learn);
  }

  void learn(Link link) {
    indexes.put(link.name(), link.index());
    names.put(link.index(), link.name());
  }

  /** Ask the kernel again next time. */
  void forget(String name) {
    Integer index = indexes.remove(name);
    if (index != null) {
      names.remove(index);
    }
  }

  OptionalInt index(String name) throws KernelException {
    Integer known = indexes.get(name);
    if (known != null) {
      return OptionalInt.of(known);
    }
    Optional<Link> link = routes.link(name);
    link.ifPresent(this::learn);
    return link.isPresent() ? OptionalInt.of(link.get().index()) : OptionalInt.empty();
  }

  /** The name of a device; {@code #7} for one that is gone. */
  String name(int index) {
    return names.getOrDefault(index, "#" + index);
  }
}
