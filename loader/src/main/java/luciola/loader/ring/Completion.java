package luciola.loader.ring;

/**
 * How an operation ended.
 *
 * @param own what its submission had as the owner's own
 * @param result bytes read or written, 0 for a sync; or an errno, negative
 */
public record Completion(long own, long result) {}
