"""The pages, as one application of their own inside the service's."""
