package dev.sund.doctor.capture;

import dev.sund.doctor.filter.LinkForm;
import dev.sund.model.Ip;
import java.util.List;

/**
 * A device that packets are taken from.
 *
 * @param pod whose, as people call it
 * @param device its name there
 * @param link with what its packets begin
 * @param addresses of the pod
 * @param comment what else is known of it, for a file's reader
 */
public record CaptureSource(
    String pod, String device, LinkForm link, List<Ip> addresses, String comment) {
  public CaptureSource {
    addresses = List.copyOf(addresses);
  }
}
