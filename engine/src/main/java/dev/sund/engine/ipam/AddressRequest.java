package dev.sund.engine.ipam;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.util.List;
import java.util.Set;

/**
 * What an attachment needs.
 *
 * @param owner the attachment's key, by which the addresses are released
 * @param pod the pod
 * @param uid the pod's uid, empty for one that Kubernetes does not know
 * @param families of which families it is to have an address each; not empty
 * @param fixed addresses that it must have, at most one a family; each of {@code families}
 * @param pools from which pools, the preferred first; of no meaning where the node's own ranges are
 *     given from
 */
public record AddressRequest(
    String owner,
    PodKey pod,
    String uid,
    Set<Family> families,
    List<Ip> fixed,
    List<AddressPool> pools) {
  public AddressRequest {
    Checks.notEmpty("owner", owner);
    Checks.that(!families.isEmpty(), "an address of some family is asked for");
    families = Set.copyOf(families);
    fixed = List.copyOf(fixed);
    pools = List.copyOf(pools);
  }
}
