package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a virtual machine runs on. */
final class Hypervisor {
  private static final String NAMES = "sys/class/dmi/id/";

  /** Of vendors and products that are virtual machines, a part. */
  private static final List<String> VIRTUAL =
      List.of(
          "QEMU",
          "KVM",
          "VMware",
          "Virtual",
          "Xen",
          "Bochs",
          "OpenStack",
          "Amazon EC2",
          "Google",
          "DigitalOcean",
          "Hetzner",
          "vServer",
          "innotek",
          "Parallels",
          "Nutanix");

  private Hypervisor() {}

  /** Its name; empty on a machine of its own. */
  static Optional<String> of(Host host) throws UnreadException {
    List<String> names = new ArrayList<>();
    for (String file : List.of("sys_vendor", "product_name")) {
      host.textIfThere(NAMES + file).filter(text -> !text.isEmpty()).ifPresent(names::add);
    }
    String name = String.join(" ", names);
    Optional<String> type = host.textIfThere("sys/hypervisor/type");
    boolean told =
        host.textIfThere("proc/cpuinfo")
            .filter(text -> text.contains(" hypervisor"))
            .isPresent(); // a flag of x86 only
    if (type.isPresent()) {
      return Optional.of(name.isEmpty() ? type.get() : type.get() + ", " + name);
    }
    if (told || VIRTUAL.stream().anyMatch(name::contains)) {
      return Optional.of(name.isEmpty() ? "a hypervisor without a name" : name);
    }
    return Optional.empty();
  }
}
