package luciola.meta.access;

import java.util.List;
import java.util.Optional;
import luciola.grpc.v1.Identity;
import luciola.grpc.v1.Inode;
import luciola.grpc.v1.InodeType;
import luciola.grpc.v1.NamespaceReply;
import luciola.grpc.v1.NamespaceRequest;
import luciola.meta.namespace.tree.Permissions;
import luciola.protocol.access.Ticket;

/**
 * What may be done to whose chunks after an operation that was allowed: who opened a file may read
 * or write it, who made one both, who took garbage may remove it. As with a descriptor, that stays
 * so when the file's mode changes.
 */
public final class Grants {
  private Grants() {}

  /**
   * Rights to the chunks of one inode.
   *
   * @param rights bits of {@link Ticket#READ} and {@link Ticket#WRITE}
   */
  public record Grant(long inode, int rights) {}

  /** What follows from a request and its reply. */
  public static List<Grant> of(NamespaceRequest request, NamespaceReply reply) {
    if (reply.getCode() != 0) {
      return List.of();
    }
    return switch (request.getOperationCase()) {
      case OPEN ->
          file(reply.getInode(), opened(request, reply.getInode(), request.getOpen().getWrite()));
      case CREATE ->
          file(
              reply.getInode(),
              reply.getOpen().getCreated()
                  ? Ticket.READ | Ticket.WRITE
                  : opened(request, reply.getInode(), request.getCreate().getOpenForWrite()));
      case TAKE_GARBAGE ->
          reply.getGarbage().getInodesList().stream()
              .map(inode -> new Grant(inode.getId(), Ticket.WRITE))
              .toList();
      default -> List.of();
    };
  }

  /** An open was allowed, so what was asked for is; who opens to write may also read if it may. */
  private static int opened(NamespaceRequest request, Inode inode, boolean write) {
    Identity who = request.getIdentity();
    boolean read =
        (request.hasOpen() && !write) || Permissions.allows(inode, who, Permissions.READ);
    return (read ? Ticket.READ : 0) | (write ? Ticket.WRITE : 0);
  }

  private static List<Grant> file(Inode inode, int rights) {
    return inode.getType() == InodeType.INODE_TYPE_FILE && rights != 0
        ? List.of(new Grant(inode.getId(), rights))
        : List.of();
  }

  /** What a caller's connections may do whatever they show: rights of its pass. */
  public static int ofPass(Caller caller) {
    return switch (caller) {
      case Caller.Anyone _ -> 0;
      case Caller.Server _ -> Ticket.ADMIN;
      case Caller.Member member -> member.user().getAdmin() ? Ticket.ADMIN : 0;
    };
  }

  /** The number under which a caller's tickets are. */
  public static long userOf(Caller caller) {
    return switch (caller) {
      case Caller.Anyone _, Caller.Server _ -> 0;
      case Caller.Member member -> member.user().getNumber();
    };
  }

  /**
   * A capability anew, if it is the caller's own. One that has expired is given anew while its key
   * is remembered: its holder was away, and its file is still open.
   */
  public static Optional<Ticket> again(
      Ticket shown, Caller caller, long client, long expiresSeconds) {
    return shown.kind() == Ticket.Kind.CAPABILITY
            && shown.caller() == client
            && shown.user() == userOf(caller)
        ? Optional.of(shown.until(expiresSeconds))
        : Optional.empty();
  }
}
