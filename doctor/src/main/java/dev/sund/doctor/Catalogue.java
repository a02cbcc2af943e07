package dev.sund.doctor;

import dev.sund.doctor.check.BalancerChecks;
import dev.sund.doctor.check.ClusterDnsChecks;
import dev.sund.doctor.check.CniChecks;
import dev.sund.doctor.check.ConnectionChecks;
import dev.sund.doctor.check.ConntrackChecks;
import dev.sund.doctor.check.DeviceChecks;
import dev.sund.doctor.check.DiskChecks;
import dev.sund.doctor.check.EndpointChecks;
import dev.sund.doctor.check.InsideChecks;
import dev.sund.doctor.check.InsideDnsChecks;
import dev.sund.doctor.check.KernelChecks;
import dev.sund.doctor.check.MachineChecks;
import dev.sund.doctor.check.MtuChecks;
import dev.sund.doctor.check.NodeChecks;
import dev.sund.doctor.check.OverlayChecks;
import dev.sund.doctor.check.PeerChecks;
import dev.sund.doctor.check.PodChecks;
import dev.sund.doctor.check.PoolChecks;
import dev.sund.doctor.check.PressureChecks;
import dev.sund.doctor.check.ProxyChecks;
import dev.sund.doctor.check.SizeChecks;
import dev.sund.doctor.check.SocketChecks;
import dev.sund.doctor.check.SysctlChecks;
import dev.sund.doctor.check.SysctlDeviceChecks;
import dev.sund.doctor.check.TrafficChecks;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** All checks. */
public final class Catalogue {
  private Catalogue() {}

  /** All checks, in the order in which they are shown. */
  public static List<Check<?>> all() {
    return Stream.of(node(), disk(), cluster(), pod(), peer())
        .<Check<?>>flatMap(List::stream)
        .toList();
  }

  /** Those of the way to a peer, which need that it was probed. */
  public static List<Check<?>> peer() {
    return PeerChecks.all();
  }

  /** Those of the node itself, which need nothing but it. */
  public static List<Check<?>> node() {
    return Stream.of(
            MtuChecks.all(),
            SizeChecks.all(),
            NodeChecks.all(),
            ProxyChecks.all(),
            CniChecks.all(),
            PodChecks.all(),
            ConntrackChecks.all(),
            ConnectionChecks.all(),
            SysctlChecks.all(),
            SysctlDeviceChecks.all(),
            TrafficChecks.all(),
            OverlayChecks.all(),
            SocketChecks.all(),
            DeviceChecks.all(),
            KernelChecks.all(),
            MachineChecks.all(),
            PressureChecks.all())
        .<Check<?>>flatMap(List::stream)
        .toList();
  }

  /** Those of the disk, which write to it. */
  public static List<Check<?>> disk() {
    return DiskChecks.all();
  }

  /** Those of a cluster's objects; they need the fact {@link Facts#CLUSTER}. */
  public static List<Check<?>> cluster() {
    return Stream.of(
            BalancerChecks.all(), PoolChecks.all(), EndpointChecks.all(), ClusterDnsChecks.all())
        .<Check<?>>flatMap(List::stream)
        .toList();
  }

  /** Those of one pod, seen from inside; they need the facts {@link Facts#POD} and beside it. */
  public static List<Check<?>> pod() {
    return Stream.of(InsideChecks.all(), InsideDnsChecks.all())
        .<Check<?>>flatMap(List::stream)
        .toList();
  }

  /** The check of this name. */
  public static Optional<Check<?>> named(String id) {
    for (Check<?> check : all()) {
      if (check.id().equals(id)) {
        return Optional.of(check);
      }
    }
    return Optional.empty();
  }
}
